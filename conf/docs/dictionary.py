"""A hook of mkdocs: the data dictionary becomes part of the page of the tables.

It is rendered from the contracts while the site is built, so it cannot disagree with them.
"""

from schemas import contract
from schemas.config import load
from schemas.render import dictionary

PAGE, PLACE = "tables.md", "<!-- dictionary -->"


def on_page_markdown(markdown: str, page, config, files) -> str:
    """The page with the chapters of the dictionary at its place; the page has a title already."""
    if page.file.src_uri != PAGE:
        return markdown
    before, place, after = markdown.partition(PLACE)
    if not place:
        raise ValueError(f"docs/{PAGE}: the line {PLACE} is missing")
    contracts = contract.in_currency(contract.load(), load().runtime.currency)
    _, chapters = dictionary.markdown(contracts).split("\n", maxsplit=1)
    return before + chapters + after
