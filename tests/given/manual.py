"""The pages that people read, and the examples in them."""

import re
from pathlib import Path

from tests.given.paths import ROOT

# The changelog is not among them: it names what is there no more.
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
LOCAL = "conf/local"
OTHER_FOLDERS = (
    "abroad",
    "elsewhere",
)  # examples of a folder of one's own; those of `LOCAL` hold together
FILE = re.compile(rf"# ({'|'.join((LOCAL, *OTHER_FOLDERS))})/(\S+)\n(.*)", re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    """(language, text) of the fenced blocks of a page."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def blocks_in(language: str) -> list[str]:
    """The texts of all blocks in a language, in the order of the pages."""
    return [text for page in PAGES for found, text in blocks(page) if found == language]


def write_local_files(folder: Path, leave_out: tuple[str, ...] = (), of: str = LOCAL) -> list[str]:
    """Write the YAML examples below a configuration folder: each names its file in one like `of`.

    Returns their names. `leave_out`: names of files that are not written.
    """
    names = []
    for text in blocks_in("yaml"):
        place, name, content = FILE.fullmatch(text).groups()
        if place == of and name not in leave_out:
            assert name not in names, f"{name} is an example twice: one would hide the other"
            names.append(name)
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    return names
