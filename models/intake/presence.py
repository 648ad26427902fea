"""Whether the file gives a value for a column: what is not readable is not absent."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from models.frames.conditions import any_of
from models.intake import code_list
from schemas.config import Source
from schemas.config.mapping.expression import columns_of, is_plain
from schemas.config.source import ABSENT
from schemas.contract.rule import quoted_name


def mapped(source: Source, name: str) -> list[Column]:
    """`_m_<column>`: the mapped value, and `_present_<column>`: whether the file gives one.

    Where a column of the file is taken as it is, the value itself says whether it is present; then
    there is no second column, nor where the source says that NULL is what the expression means.
    """
    sql, texts = source.mapping[name], source.absent.get(name, ())
    fields = [F.col(quoted_name(field)) for field in columns_of(sql, source.columns)]
    absent = any_of(_holds(field, texts) for field in fields)
    codes = source.codes.get(name)
    value = code_list.translated(F.expr(sql), codes)
    found = [(F.when(~absent, value) if texts else value).alias(f"_m_{name}")]
    if fields and not is_plain(sql, source.columns) and source.unreadable.get(name) != ABSENT:
        present = any_of(field.isNotNull() for field in fields) & ~absent
        found.append(
            (present & ~code_list.means_null(F.expr(sql), codes)).alias(f"_present_{name}")
        )
    return found


def _holds(field: Column, texts: Sequence[str]) -> Column:
    """Whether the field is one of the texts; never null. "" is the blank field."""
    listed = F.coalesce(field.isin([text for text in texts if text]), F.lit(False))
    return listed | field.isNull() if "" in texts else listed
