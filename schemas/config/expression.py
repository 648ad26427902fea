"""The columns and functions that a scalar SQL expression uses, found without Spark.

The reader knows only as much of the grammar as separates columns from everything else. A word
that may be a column or a keyword (`date`, `timestamp`) is a keyword unless it has backquotes.
"""

import itertools
import re

_TOKEN = re.compile(
    r"""
      (?P<text>[rR]?'(?:[^'\\]|\\.|'')*' | [rR]?"(?:[^"\\]|\\.|"")*")
    | `(?P<quoted>(?:[^`]|``)+)`
    | (?P<number>\d[\w.]*)
    | (?P<word>[^\W\d]\w*)
    | (?P<open>['"`])
    | (?P<arrow>->)
    | (?P<sign>[^\s\w])
""",
    re.VERBOSE,
)
_WORDS = frozenset(
    [
        "all",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "at",
        "between",
        "bigint",
        "binary",
        "boolean",
        "both",
        "by",
        "byte",
        "case",
        "cast",
        "current_date",
        "current_timestamp",
        "date",
        "day",
        "days",
        "dec",
        "decimal",
        "desc",
        "distinct",
        "div",
        "double",
        "else",
        "end",
        "escape",
        "exists",
        "false",
        "float",
        "for",
        "from",
        "hour",
        "hours",
        "ilike",
        "in",
        "int",
        "integer",
        "interval",
        "is",
        "leading",
        "like",
        "long",
        "map",
        "minute",
        "minutes",
        "month",
        "months",
        "not",
        "null",
        "numeric",
        "or",
        "regexp",
        "rlike",
        "second",
        "seconds",
        "short",
        "similar",
        "smallint",
        "some",
        "string",
        "struct",
        "substring",
        "then",
        "time",
        "timestamp",
        "timestamp_ltz",
        "timestamp_ntz",
        "tinyint",
        "to",
        "trailing",
        "true",
        "varchar",
        "week",
        "weeks",
        "when",
        "year",
        "years",
        "zone",
    ]
)

_CLOCK = ("current_date", "current_timestamp")


def columns_of(expression: str) -> list[str]:
    """The columns that an expression reads, in order, each as it is written.

    Raises ValueError, with a message for the user, for an open quote, unequal parentheses or a
    query.
    """
    tokens = _tokens(expression)
    bound = {before["word"] for before, token in itertools.pairwise(tokens) if token["arrow"]}
    found = []
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        word = token["word"]
        if token["quoted"]:
            found.append(token["quoted"].replace("``", "`"))
        elif word and word.lower() == "select":
            raise ValueError("a query is not a scalar expression")
        elif (
            word
            and word.lower() not in _WORDS
            and word not in bound
            and not (after and after["sign"] == "(")
            and not (before and before["sign"] == ".")
        ):
            found.append(word)
    return list(dict.fromkeys(found))


def functions_of(expression: str) -> list[str]:
    """The functions that an expression calls, in order and in small letters.

    They include the functions of the clock that SQL calls without parentheses. Raises ValueError
    as columns_of does.
    """
    tokens = _tokens(expression)
    called = (
        token["word"].lower()
        for token, after in zip(tokens, [*tokens[1:], None], strict=False)
        if token["word"]
        and (
            token["word"].lower() in _CLOCK
            or (after and after["sign"] == "(" and token["word"].lower() not in _WORDS)
        )
    )
    return list(dict.fromkeys(called))


def _tokens(expression: str) -> list[re.Match[str]]:
    tokens = list(_TOKEN.finditer(expression))
    if any(token["open"] for token in tokens):
        raise ValueError("a quote is not closed")
    signs = [token["sign"] for token in tokens]
    if signs.count("(") != signs.count(")"):
        raise ValueError("the parentheses do not match")
    return tokens
