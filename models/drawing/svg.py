"""Elements of SVG as text: everything that is written into them is escaped."""

from __future__ import annotations

from html import escape


def element(tag: str, *inside: str, **attributes: object) -> str:
    """An element with its attributes in the order given; `inside` is SVG or `text` already.

    Attributes stand in single quotes, so that a picture is a plain cell of a delimited file; of
    their names `_` stands for `-`.
    """
    told = "".join(
        f" {name.replace('_', '-')}='{text(value)}'" for name, value in attributes.items()
    )
    return f"<{tag}{told}>{''.join(inside)}</{tag}>" if inside else f"<{tag}{told}/>"


def text(value: object) -> str:
    """A value as text of XML on one line; what XML or a line cannot hold becomes a space."""
    return escape("".join(one if one.isprintable() else " " for one in str(value)))


def rect(x: object, y: object, width: object, height: object, fill: str, title: str) -> str:
    """A rectangle that says what it is."""
    return element(
        "rect", element("title", text(title)), x=x, y=y, width=width, height=height, fill=fill
    )
