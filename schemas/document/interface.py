"""Documents that leave for other systems, and the JSON Schemas that they keep (schemas/interfaces).

The schemas are JSON, so that the receiving system can use them as they are.
"""

import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import jsonschema

from schemas.errors import QualityError

_SCHEMAS = resources.files("schemas") / "interfaces"


def schema_text(interface: str) -> str:
    """The JSON Schema of an interface such as r1, as it is shipped."""
    return (_SCHEMAS / f"{interface}.json").read_text(encoding="utf-8")


def version(interface: str) -> str:
    """Twelve hex digits that change when the schema of the interface changes."""
    return hashlib.sha256(schema_text(interface).encode()).hexdigest()[:12]


def require_valid(interface: str, content: Mapping[str, Any]) -> None:
    """QualityError for the first place of a document that breaks the schema; it names no value."""
    schema = json.loads(schema_text(interface))
    validator = jsonschema.Draft202012Validator(schema)
    for error in validator.iter_errors(content):
        rule = f"{error.validator} of {'/'.join(map(str, error.schema_path))}"
        raise QualityError(
            f"{interface}: {error.json_path} breaks schemas/interfaces/{interface}.json ({rule}). "
            "Nothing is written. This is a fault of the program, or of the schema"
        )
