"""The answer for one customer, without Spark, is what the night decided over frames."""

import json

import pytest

from jobs import policy_check
from models.contact_policy.compiled import CODES
from tests.given.one_night import OPTIONS
from tests.given.small_province import LAST
from tests.readers.warehouse_reader import query

ASKED = 8


@pytest.fixture(scope="module")
def customers(one_night):
    """(customer_no, candidates): those with the most kinds of reasons of the contact policy."""
    codes = ", ".join(f"'{code}'" for code in CODES)
    return query(
        one_night.warehouse,
        f"""
        WITH said AS (
            SELECT customer_id, count(*) AS candidates,
                   list_distinct(list_intersect(flatten(list(reasons)), [{codes}])) AS found
            FROM d WHERE data_date = DATE '{LAST}' GROUP BY customer_id)
        SELECT DISTINCT customer_no, candidates, len(found)
        FROM said JOIN s USING (customer_id)
        WHERE data_date = DATE '{LAST}' ORDER BY 3 DESC, 2 DESC, 1 LIMIT {ASKED}""",
        d="mart.decision",
        s="dw.subscriber",
    )


def test_the_policy_says_of_each_candidate_what_the_night_said(
    one_night, customers, capsys, tmp_path
):
    options = [*OPTIONS, "--data-date", LAST, "--json", "--warehouse", str(one_night.warehouse)]
    codes, contacts = set(), 0
    for number, candidates, _ in customers:
        file = tmp_path / "asked.txt"
        file.write_text(number, encoding="utf-8")
        assert policy_check.main(["--customer", str(file), *options]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert len(answer["candidates"]) == candidates
        assert {one["policy_now"] and tuple(one["policy_now"]) for one in answer["candidates"]} == {
            None
        }
        codes |= {code for one in answer["candidates"] for code in one["reasons"]}
        contacts += len(answer["contacts"])
    assert {"CONSENT", "CAP_ALL"} <= codes
    assert contacts > 0
