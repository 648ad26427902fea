"""The layout of a channel's file as a document for those who read it, and a sample of the file."""

from collections.abc import Sequence

from models.push.channel_file import LINE_ENDS
from schemas.config import Campaign, Channel, Push
from schemas.config.channel import CSV, FIXED, XLSX
from schemas.config.contact_policy import ContactChannel
from schemas.contract import Contract

_HEAD = ("no.", "column", "名称", "type", "width", "personal", "filled with", "description")


def markdown(
    channel: Channel,
    push: Push,
    contract: Contract,
    contact: ContactChannel | None,
    campaigns: Sequence[Campaign],
) -> str:
    """The layout document of a channel: name and form of its file, its columns, its rules."""
    lines = [
        f"# {channel.id} {channel.name_cn}",
        "",
        contract.description,
        "",
        *(f"- {name}: {value}" for name, value in _form(channel, push, contract, contact)),
        f"- campaigns that use it: {', '.join(one.id for one in campaigns) or 'none'}",
        "",
        "| " + " | ".join(_HEAD) + " |",
        "|" + "---|" * len(_HEAD),
    ]
    for place, name in enumerate(push.columns, 1):
        column = contract.column(name)
        cells = (
            str(place),
            f"`{name}`",
            column.name_cn,
            column.type,
            str(push.widths.get(name) or column.max_length or ""),
            column.personal or "",
            f"`{push.facts[name]}`" if name in push.facts else "the target",
            column.description.replace("|", "\\|"),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _form(
    channel: Channel, push: Push, contract: Contract, contact: ContactChannel | None
) -> list[tuple[str, str]]:
    found = [
        ("file", f"`{push.file}`, rights {push.mode}, with `<file>.manifest.json` beside it"),
        ("format", push.format),
        ("version of the contract", contract.version),
        ("at most a day", f"{channel.capacity} rows"),
    ]
    if push.format == XLSX:
        found.append(("sheet", "one; the names of the columns, then the rows; amounts are text"))
    else:
        found.append(("encoding", push.encoding))
        found.append(("line end", f"{push.line_end} ({LINE_ENDS[push.line_end]!r})"))
    if push.format == CSV:
        found += [
            ("delimiter", repr(push.delimiter)),
            ("header", "the names of the columns" if push.header else "none"),
            ("formulas", "made plain text" if push.neutralise_formulas else "as they are"),
        ]
    if push.format == FIXED:
        found.append(("width", "in bytes; numbers stand right, all else left, filled with spaces"))
    if push.replace_with:
        found.append(("characters that the encoding lacks", f"become {push.replace_with!r}"))
    if push.message is not None:
        one = push.message
        limit = f"at most {one.max_parts} parts of {one.part} characters"
        found.append(("message", f"from {one.sender}, {limit}"))
    if contact is not None and contact.contact_at is not None:
        found.append(
            ("worked", f"from {contact.contact_at} on the next day, for {contact.listed_for}")
        )
        found.append(("reported", f"within {contact.report_within} after that"))
    return found
