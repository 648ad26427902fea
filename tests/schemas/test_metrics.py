"""metrics.yml: what campaigns are judged by, and what is refused with file and line."""

from decimal import Decimal

import pytest

from schemas import config
from tests.given.paths import CONF as SHIPPED
from tests.given.small_configuration import edit, refusal


def test_an_entry_becomes_a_metric(folder):
    metric = config.load([folder]).metrics["complaint_rate"]
    assert (metric.numerator.take, metric.numerator.where) == ("any", {"kind": "complaint"})
    assert metric.denominator is None
    assert metric.margin == Decimal("0.005")


def test_a_denominator_may_be_counted_like_a_numerator(folder):
    below = "{table: dw.contact_event, at: local_date, take: rows}"
    edit(folder, "metrics.yml", "denominator: assigned", f"denominator: {below}")
    assert config.load([folder]).metrics["complaint_rate"].denominator.take == "rows"


def test_every_shipped_guardrail_has_a_margin_and_there_is_a_goal(contracts):
    metrics = config.load([SHIPPED], contracts).metrics.values()
    assert all((one.margin is None) == (one.role == "goal") for one in metrics)
    assert {one.role for one in metrics} == {"goal", "guardrail"}


def test_any_change_of_a_metric_changes_the_fingerprint(folder):
    before = config.load([folder]).fingerprint
    edit(folder, "metrics.yml", "window_days: 30", "window_days: 31")
    assert config.load([folder]).fingerprint != before


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("  denominator: assigned\n", "", 2, "denominator"),
        ("dw.contact_event", "dw.contact_evnt", 6, "unknown table 'dw.contact_evnt'"),
        ("{kind: ", "{knd: ", 6, "dw.contact_event has no column 'knd'"),
        ("at: local_date", "at: local_dat", 6, "dw.contact_event has no column 'local_dat'"),
        ("at: local_date", "at: channel", 6, "expected a date or timestamp; 'channel' is string"),
        ("take: any", "take: sum", 6, "a sum needs 'column'"),
        ("take: any", "take: any, column: wave", 6, "'any' counts rows"),
        ("take: any", "take: sum, column: kind", 6, "expected a column of numbers"),
        ("dw.contact_event", "dw.subscription", 6, "has no column 'customer_id'"),
        ('  margin: "0.005"\n', "", 2, "a guardrail needs 'margin'"),
        ('"0.005"', '"0"', 11, "expected more than 0; got 0"),
        ("role: guardrail", "role: goal", 11, "a goal has no margin"),
        ("role: guardrail", 'role: guardrail\n  winsor_limit: "5"', 11, "0 or 1 has no limit"),
        ("direction: down", "direction: sideways", 9, "sideways"),
        (
            "{table: dw.contact_event, at: local_date, take: any, where: {kind: complaint}}",
            "{table: dw.campaign_response, at: ordered_at, take: any, where: {contacted: true}}",
            6,
            "'contacted' compares who was reached with who was not",
        ),
        (
            "denominator: assigned",
            "denominator: {table: dw.contact_event, at: local_date, take: rows}\n  before_days: 30",
            8,
            "a ratio is not adjusted by CUPED",
        ),
    ],
)
def test_a_mistake_is_refused_with_its_line(folder, contracts, old, new, line, said):
    edit(folder, "metrics.yml", old, new)
    found = refusal(folder, contracts=contracts)
    assert f"metrics.yml:{line}: complaint_rate" in found
    assert said in found
