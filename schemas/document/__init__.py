"""YAML documents that know the file and line of each value."""

from schemas.document.document import (
    Document,
    Key,
    Place,
    check,
    dotted,
    parse,
    problems,
    read,
    shown,
)

__all__ = ["Document", "Key", "Place", "check", "dotted", "parse", "problems", "read", "shown"]
