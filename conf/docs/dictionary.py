"""A hook of mkdocs: the data dictionary becomes part of the page of the tables.

It is rendered from the contracts while the site is built, so it cannot disagree with them.
"""

import re

from schemas import contract
from schemas.render import dictionary

PAGE, PLACE = "tables.md", "<!-- dictionary -->"
HEADING = re.compile(r"^(#+) ", re.MULTILINE)


def on_page_markdown(markdown: str, page, config, files) -> str:
    """The page with the dictionary at its place, every heading one level lower."""
    if page.file.src_uri != PAGE:
        return markdown
    before, place, after = markdown.partition(PLACE)
    if not place:
        raise ValueError(f"docs/{PAGE}: the line {PLACE} is missing")
    return before + HEADING.sub(r"#\1 ", dictionary.markdown(contract.load())) + after
