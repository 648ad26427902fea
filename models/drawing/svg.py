"""Elements of SVG as text; every value written into them is escaped."""

from __future__ import annotations

from html import escape


def element(tag: str, *inside: str, **attributes: object) -> str:
    """An element with its attributes in the order given; `inside` is SVG or a result of `text`.

    Attributes are in single quotes, so a picture fits into a cell of a delimited file without
    quoting. `_` in an attribute's name is written as `-`.
    """
    pairs = "".join(
        f" {name.replace('_', '-')}='{text(value)}'" for name, value in attributes.items()
    )
    return f"<{tag}{pairs}>{''.join(inside)}</{tag}>" if inside else f"<{tag}{pairs}/>"


def text(value: object) -> str:
    """A value as XML text on one line; a character that is not printable becomes a space."""
    return escape("".join(one if one.isprintable() else " " for one in str(value)))


def rect(x: object, y: object, width: object, height: object, fill: str, title: str) -> str:
    """A rectangle with a title, which a browser shows as a tooltip."""
    return element(
        "rect", element("title", text(title)), x=x, y=y, width=width, height=height, fill=fill
    )
