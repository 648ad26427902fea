"""YAML documents that know where each value stands."""

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
