"""The columns and functions that a scalar SQL expression uses, found without Spark.

The reader knows only as much of the grammar as separates columns from everything else.
"""

import itertools
import re
from collections.abc import Collection, Sequence

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

# The words that are never a column's name; the others of _WORDS are types and units.
_RESERVED = re.compile(
    "all|and|any|as|asc|between|both|by|case|cast|current_date|current_timestamp|desc|distinct|div|"
    "else|end|escape|exists|false|for|from|ilike|in|interval|is|leading|like|not|null|or|regexp|"
    "rlike|similar|some|then|to|trailing|true|when"
)
# Functions whose first argument is a unit.
_TAKE_UNIT = ("timestampadd", "timestampdiff", "date_add", "dateadd", "date_diff", "datediff")
_CLOCK = ("current_date", "current_timestamp")


def columns_of(expression: str, known: Collection[str] = ()) -> list[str]:
    """The columns that an expression reads, in order, each as it is written.

    A word that is a type or a unit of time (`date`, `minutes`) is a column if it is one of `known`
    and does not stand where only the type or unit can. Raises ValueError, with a message for the
    user, for an open quote, unequal parentheses or a query.
    """
    tokens = _tokens(expression)
    bound = {before["word"] for before, token in itertools.pairwise(tokens) if token["arrow"]}
    names = {name.lower() for name in known if not _RESERVED.fullmatch(name.lower())}
    found = []
    for place, token in enumerate(tokens):
        word = token["word"]
        before = tokens[place - 1] if place else None
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        if token["quoted"]:
            found.append(token["quoted"].replace("``", "`"))
        elif word and word.lower() == "select":
            raise ValueError("a query is not a scalar expression")
        elif (
            word
            and word not in bound
            and not (after and after["sign"] == "(")
            and not (before and before["sign"] == ".")
            and (
                word.lower() not in _WORDS
                or (word.lower() in names and not _is_keyword(tokens, place))
            )
        ):
            found.append(word)
    return list(dict.fromkeys(found))


def _is_keyword(tokens: Sequence[re.Match[str]], place: int) -> bool:
    """Whether the word at a place is a type or a unit of time and not a column.

    `cast(x AS date)`, `date '2009-05-03'`, `INTERVAL 3 days`, `extract(day FROM x)`,
    `datediff(day, a, b)`.
    """
    words = [(token["word"] or token["sign"] or "").lower() for token in tokens]
    before = words[max(place - 2, 0) : place]
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    return bool(
        before[-1:] in (["as"], ["interval"])
        or (place and tokens[place - 1]["number"])
        or (after and (after["text"] or words[place + 1] == "from"))
        or (len(before) == 2 and before[0] in _TAKE_UNIT and before[1] == "(")
    )


def is_plain(expression: str, known: Collection[str] = ()) -> bool:
    """Whether an expression is one column as it is."""
    name = expression.strip().removeprefix("`").removesuffix("`").replace("``", "`")
    return columns_of(expression, known) == [name]


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
