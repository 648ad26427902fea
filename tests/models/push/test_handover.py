"""The documents of R1 and R2 hold what was pushed, in a fixed order, and keep their schemas."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from models.push import handover
from schemas import config
from schemas.document import interface
from schemas.errors import QualityError
from tests.given.paths import CONF

DAY = date(2009, 5, 3)
NUMBERS = {1001: ("C1", "S1"), 1002: ("C1", "S2"), 1003: ("C2", "S3")}


@pytest.fixture(scope="module")
def conf():
    return config.load([CONF])


def pushed(subscriber, customer, campaign="tariff_saving", **more):
    return {
        "campaign_id": campaign,
        "wave": 1,
        "customer_id": customer,
        "subscriber_id": subscriber,
        "package_id": "gprs_5",
        "package_name": "GPRS 5元套餐",
        "cost_before": Decimal("88.50"),
        "cost_after": Decimal("80.00"),
        "saving": Decimal("8.50"),
        "reason": "近3个月中有3个月更省",
        "script": "推荐",
        "valid_until": date(2009, 6, 2),
        **more,
    }


ROWS = {
    "sms": [pushed(1003, 3)],
    "hall": [
        pushed(1002, 1),
        pushed(1001, 1, saving=None, cost_before=None, cost_after=None),
    ],
}


def r1(conf, rows=ROWS):
    running = [one for one in conf.campaigns.values() if one.valid_on(DAY)]
    return handover.plan_and_targets(conf, running, rows, NUMBERS, DAY)


def r2(conf, rows=ROWS):
    preference = {1: {"rank": 2, "score": Decimal("0.250000"), "basis": "prior"}}
    last = datetime(2009, 5, 1, 2, tzinfo=UTC)
    counts = {"contacts": 4, "successes": 3, "complaints_about": 0, "last_contact_at": last}
    return handover.results(conf, "hall", rows["hall"], NUMBERS, preference, {1: counts}, DAY)


def test_r1_holds_the_targets_and_no_phone_number_or_salt(conf):
    document = r1(conf)
    assert [tuple(one.values()) for one in document["targets"]] == [
        ("tariff_saving", 1, "hall", "C1", "S1", "gprs_5", None, "2009-06-02"),
        ("tariff_saving", 1, "hall", "C1", "S2", "gprs_5", "8.50", "2009-06-02"),
        ("tariff_saving", 1, "sms", "C2", "S3", "gprs_5", "8.50", "2009-06-02"),
    ]
    text = json.dumps(document)
    assert conf.policy.contacts.hold_out.salt == "universal"
    assert "universal" not in text
    assert not {"salt", "msisdn", "control_share"} & set(text.split('"'))


def test_r1_holds_every_campaign_that_runs_and_the_rules(conf):
    document = r1(conf)
    plan = {one["campaign_id"]: one for one in document["plan"]}
    assert set(plan) == {one.id for one in conf.campaigns.values() if one.valid_on(DAY)}
    assert plan["tariff_saving"]["class"] == "marketing"
    assert plan["tariff_saving"]["waves"][0]["reaches"] == "all"
    caps = {one["cap"]: (one["limit"], one["per"]) for one in document["rules"]["caps"]}
    shipped = conf.policy.contacts.caps
    assert caps == {name: (one.limit, one.per) for name, one in shipped.items()}
    hours = {one["channel"]: one["open_from"] for one in document["rules"]["channels"]}
    assert hours["sms"] == conf.policy.contacts.channels["sms"].open_from


def test_r2_says_of_each_customer_how_he_uses_the_contact_point(conf):
    (one,) = r2(conf)["results"]
    assert one["customer_no"] == "C1"
    assert one["preference"] == {"rank": 2, "score": "0.250000", "basis": "prior"}
    assert one["contacts"]["last_contact_at"] == "2009-05-01T10:00:00+08:00"
    assert [(offer["subscriber_no"], offer["cost_after"]) for offer in one["offers"]] == [
        ("S1", None),
        ("S2", "80.00"),
    ]
    sms = handover.results(conf, "sms", ROWS["sms"], NUMBERS, {}, {}, DAY)["results"][0]
    assert (sms["preference"], sms["contacts"]) == (None, None)


def test_the_order_of_rows_changes_nothing(conf):
    turned = {name: rows[::-1] for name, rows in reversed(ROWS.items())}
    assert json.dumps(r1(conf)) == json.dumps(r1(conf, turned))
    assert json.dumps(r2(conf)) == json.dumps(r2(conf, turned))


def test_both_keep_their_schemas(conf):
    interface.require_valid("r1", r1(conf))
    interface.require_valid("r2", r2(conf))


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("r1", ("targets", 0, "wave"), 0),
        ("r1", ("targets", 0, "customer_no"), 13900000001),
        ("r1", ("targets", 0, "msisdn"), "13900000001"),
        ("r1", ("plan", 0, "until"), "13900000001"),
        ("r1", ("rules", "caps", 0, "per"), "13900000001"),
        ("r1", ("interface",), "13900000001"),
        ("r2", ("results", 0, "offers"), []),
        ("r2", ("results", 0, "preference"), "13900000001"),
        ("r2", ("results", 0, "contacts", "last_contact_at"), "13900000001"),
    ],
)
def test_a_document_that_breaks_its_schema_is_refused_without_its_value(conf, name, path, value):
    document = {"r1": r1, "r2": r2}[name](conf)
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    with pytest.raises(QualityError) as refused:
        interface.require_valid(name, document)
    said = str(refused.value)
    assert f"breaks schemas/interfaces/{name}.json" in said
    assert "1390000" not in said
    assert "\n" not in said


def test_the_schemas_refuse_what_they_do_not_name():
    """Every object of a schema is closed, so nothing can leave that the schema does not say."""

    def objects(part):
        if isinstance(part, dict):
            if part.get("type") == "object":
                yield part
            for one in part.values():
                yield from objects(one)
        elif isinstance(part, list):
            for one in part:
                yield from objects(one)

    for name in ("r1", "r2"):
        found = list(objects(json.loads(interface.schema_text(name))))
        assert len(found) > 3
        assert all(one["additionalProperties"] is False for one in found)
