"""Who meets a target definition: each kind of condition at its edges, reasons, and the funnel."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from models.targeting.measures import measured
from models.targeting.members import (
    FunnelStep,
    by_branch_and_brand,
    by_customer,
    funnel,
    members,
)
from schemas.config.targeting.target import target_of
from tests.given.rows import frame, named

DAY = date(2009, 5, 3)
MONTHS = [date(2009, 1, 1), date(2009, 2, 1), date(2009, 3, 1), date(2009, 4, 1)]
PEOPLE = named(
    "customer_id subscriber_id subscriber_no brand status vip_level join_date branch",
    (1, 11, "S11", "gotone", "active", "gold", date(2009, 2, 2), "东"),
    (2, 21, "S21", "mzone", "active", None, date(2009, 2, 3), "东"),
    (2, 22, "S22", "easyown", "arrears", None, None, None),
    (3, 31, "S31", "gotone", "active", "none", date(2009, 5, 3), "西"),
)


def before(days):
    return DAY - timedelta(days=days)


def facts(spark, target, **tables):
    """The facts of a definition over the four subscribers; `ods_bill` is the table ods.bill."""
    given = {name.replace("_", ".", 1): rows for name, rows in tables.items()}
    frames = {table: frame(spark, table, *given.get(table, ())) for table in target.tables[1:]}
    frames["dw.subscriber"] = frame(spark, "dw.subscriber", *PEOPLE)
    return measured(target.asked, frames, DAY, MONTHS)


def target(where):
    return target_of({"id": "t", "name_cn": "t", "where": where})


def found(spark, where, **tables):
    """The subscribers for whom a condition holds."""
    asked = target(where)
    rows = members(asked, facts(spark, asked, **tables), DAY).collect()
    return sorted(row["subscriber_id"] for row in rows)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"fact": "brand", "is": "gotone"}, [11, 31]),
        ({"fact": "brand", "in": ["mzone", "easyown"]}, [21, 22]),
        ({"not": {"fact": "brand", "is": "gotone"}}, [21, 22]),
        # What is not known does not hold, so that its contrary does.
        ({"fact": "vip_level", "is": "none"}, [31]),
        ({"not": {"fact": "vip_level", "is": "gold"}}, [21, 22, 31]),
        ({"fact": "join_date", "within_days": 90}, [21, 31]),  # 2009-02-03 is 89 days ago
        ({"fact": "join_date", "at_least_days_ago": 90}, [11]),
        ({"fact": "join_date", "within_days": 1}, [31]),
        ({"fact": "join_date", "between": [date(2009, 2, 2), date(2009, 2, 3)]}, [11, 21]),
        (
            {"and": [{"fact": "brand", "is": "gotone"}, {"fact": "branch", "is": "西"}]},
            [31],
        ),
        (
            {"or": [{"fact": "brand", "is": "mzone"}, {"fact": "branch", "is": "西"}]},
            [21, 31],
        ),
        (
            {
                "and": [
                    {"fact": "status", "is": "active"},
                    {
                        "not": {
                            "or": [{"fact": "brand", "is": "mzone"}, {"fact": "branch", "is": "西"}]
                        }
                    },
                ]
            },
            [11],
        ),
    ],
)
def test_attributes_of_subscribers(spark, where, expected):
    assert found(spark, where) == expected


def test_packages_count_while_they_are_in_force(spark):
    held = named(
        "subscriber_id package_id kind valid_from valid_to",
        (11, "gprs_5", "gprs", before(30), DAY),  # ended today
        (11, "gotone_58", "voice", before(30), None),
        (21, "gprs_5", "gprs", DAY, None),
        (31, "gprs_20", "gprs", before(-1), None),  # begins tomorrow
    )
    assert found(
        spark, {"fact": "packages", "in": ["gprs_5", "gprs_20"]}, dw_subscription=held
    ) == [21]
    assert found(spark, {"fact": "package_kinds", "is": "voice"}, dw_subscription=held) == [11]
    nothing = {"not": {"fact": "package_kinds", "in": ["gprs", "voice"]}}
    assert found(spark, nothing, dw_subscription=held) == [22, 31]


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ({"at_least": 5}, [11, 21, 22]),
        ({"above": 5}, [11]),
        ({"at_most": 5}, [21, 22, 31]),
        ({"below": 5}, [31]),
        ({"is": 0}, [31]),
        ({"in": [0, 7]}, [11, 31]),
        ({"between": [5, 7]}, [11, 21, 22]),
        ({"between": [5, 5]}, [21, 22]),
    ],
)
def test_the_contact_view_is_added_up_over_the_channels_that_are_named(spark, comparison, expected):
    """Customer 1 has 3 + 4 at hall and hotline, customer 2 has 5, customer 3 none."""
    view = named(
        "customer_id channel contacts",
        (1, "hall", 3), (1, "hotline", 4), (1, "web", 90), (2, "hall", 5), (2, "sms", 1),
    )  # fmt: skip
    where = {"fact": "contacts", "of": {"channel": ["hall", "hotline"]}, **comparison}
    assert found(spark, where, dw_contact_view=view) == expected


def test_the_last_contact_is_a_day_of_the_operators_zone(spark):
    """17:00 in London on 2 May is 1:00 on 3 May in Beijing."""
    view = named(
        "customer_id channel last_contact_at",
        (1, "hall", datetime(2009, 5, 2, 17, tzinfo=UTC)),
        (2, "hall", datetime(2009, 5, 2, 15, 59, tzinfo=UTC)),
    )
    today = {"fact": "last_contact", "within_days": 1}
    assert found(spark, today, dw_contact_view=view) == [11]
    assert found(spark, {"not": today}, dw_contact_view=view) == [21, 22, 31]


def test_contacts_over_days_are_counted_with_the_data_date(spark):
    contacts = named(
        "contact_id customer_id channel kind business_code local_date",
        (1, 1, "hall", "transaction", "payment", DAY),
        (2, 1, "hall", "transaction", "payment", before(29)),
        (3, 1, "hall", "transaction", "payment", before(30)),
        (4, 2, "hall", "enquiry", "payment", DAY),
        (5, 3, "hall", "transaction", "payment", before(-1)),
        (6, None, "hall", "transaction", "payment", DAY),
    )
    paid = {
        "fact": "recent_contacts",
        "of": {"kind": ["transaction"], "business_code": ["payment"]},
        "at_least": 2,
    }
    assert found(spark, {**paid, "over_days": 30}, dw_contact_event=contacts) == [11]
    three = {**paid, "at_least": 3}
    assert found(spark, {**three, "over_days": 30}, dw_contact_event=contacts) == []
    assert found(spark, {**three, "over_days": 31}, dw_contact_event=contacts) == [11]
    both = {"and": [{**paid, "over_days": 30}, {**three, "over_days": 31}]}
    assert found(spark, both, dw_contact_event=contacts) == [11]


def test_offers_that_were_made_and_answers_that_were_told_twice(spark):
    at = datetime(2009, 5, 2, 2, tzinfo=UTC)
    history = named(
        "contact_id customer_id state channel campaign_id happened_at",
        (1, 1, "made", "sms", "tariff_saving", at),
        (2, 1, "reserved", "sms", "tariff_saving", at),
        (3, 2, "freed", "sms", "tariff_saving", at),
    )
    told = named(
        "customer_id outcome campaign_id channel local_date",
        (1, "refused", "tariff_saving", "sms", before(1)),
        (1, "refused", "tariff_saving", "sms", before(1)),
        (2, "refused", "tariff_saving", "sms", before(1)),
        (2, "refused", "tariff_saving", "sms", before(2)),
    )
    made = {"fact": "offers_made", "over_days": 7, "at_least": 1}
    assert found(spark, made, dw_contact_history=history) == [11]
    twice = {"fact": "answers", "of": {"outcome": ["refused"]}, "over_days": 7, "is": 2}
    assert found(spark, twice, dw_contact_outcome=told) == [21, 22]


def test_a_saving_counts_where_the_package_is_recommended(spark):
    match = named(
        "subscriber_id package_id kind recommended saving mean_present_cost months_won",
        (11, "gotone_58", "voice", True, Decimal("5.00"), Decimal("50"), 2),
        (11, "gotone_68", "voice", False, Decimal("90"), Decimal("50"), 3),
        (21, "gprs_5", "gprs", True, Decimal("4.999999"), Decimal("49.99"), 3),
        (22, "gprs_5", "gprs", True, Decimal("9"), None, 3),
    )
    saves = {"fact": "saving", "at_least": "5.00"}
    assert found(spark, saves, mart_package_match=match) == [11, 22]
    of_gprs = {**saves, "of": {"kind": ["gprs"]}}
    assert found(spark, of_gprs, mart_package_match=match) == [22]
    cost = {"fact": "monthly_cost", "at_least": "50"}
    assert found(spark, cost, mart_package_match=match) == [11]
    assert found(spark, {"not": saves}, mart_package_match=match) == [21, 31]


def test_the_preferred_channel_is_the_first_of_the_customer(spark):
    preference = named("customer_id channel rank", (1, "web", 1), (1, "hall", 2), (2, "hall", 1))
    where = {"fact": "preferred_channel", "is": "hall"}
    assert found(spark, where, mart_channel_preference=preference) == [21, 22]


CELLS = named(
    "cell_id service roaming",
    (1, "voice", "home"), (2, "voice", "inter_prov"), (3, "data", "inter_prov"),
)  # fmt: skip
USAGE = named(
    "subscriber_id cell_id local_date events quantity",
    (11, 2, DAY, 2, 61),
    (21, 2, before(29), 1, 60),
    (22, 2, before(30), 1, 60),
    (31, 3, DAY, 5, 1000),
    (31, 1, DAY, 5, 300),
)


def test_usage_is_added_up_by_what_the_cells_say(spark):
    tables = {"dw_usage_day": USAGE, "dw_rating_cell": CELLS}
    calls = {"fact": "usage_events", "of": {"service": ["voice"]}, "over_days": 30}
    assert found(spark, {**calls, "at_least": 2}, **tables) == [11, 31]
    seconds = {**calls, "fact": "usage_quantity", "above": 60}
    assert found(spark, seconds, **tables) == [11, 31]


def test_who_called_while_roaming_without_the_offer(spark):
    held = named(
        "subscriber_id package_id valid_from valid_to", (11, "gotone_388", before(99), None)
    )
    event = {
        "event": "roaming_without",
        "roaming": ["intra_prov", "inter_prov"],
        "packages": ["gotone_388"],
        "within_days": 30,
    }
    tables = {"dw_usage_day": USAGE, "dw_rating_cell": CELLS, "dw_subscription": held}
    assert found(spark, event, **tables) == [21]
    assert found(spark, {**event, "within_days": 31}, **tables) == [21, 22]
    assert found(spark, {**event, "within_days": 31, "times": 2}, **tables) == []


def bills(**totals):
    """Bills of January to April of a subscriber; None: no bill."""
    return named(
        "subscriber_no month total",
        *(
            (account, month, Decimal(total))
            for account, of in totals.items()
            for month, total in zip(MONTHS, of, strict=True)
            if total is not None
        ),
    )


@pytest.mark.parametrize(
    ("of", "rises", "falls"),
    [
        (("33.33", "33.33", "33.34", "66.66"), False, False),  # 3 × 66.66 is below 2 × 100
        (("33.33", "33.33", "33.34", "66.667"), True, False),
        (("30", "30", "30", "60"), False, False),  # exactly twice the mean
        (("30", "30", "30", "60.001"), True, False),
        (("30", "30", "30", "15"), False, False),  # exactly half
        (("30", "30", "30", "14.999"), False, True),
        (("30", None, "30", "99"), False, False),  # the mean of three months is not known
        (("30", "30", "30", None), False, False),
        (("0", "0", "0", "0"), False, False),
        (("0", "0", "0", "0.01"), True, False),
    ],
)
def test_a_bill_rises_above_twice_or_falls_below_half_the_mean_before(spark, of, rises, falls):
    up = {"event": "bill_rise", "factor": "2", "months": 3}
    down = {"event": "bill_fall", "factor": "0.5", "months": 3}
    tables = {"ods_bill": bills(S11=of)}
    assert found(spark, up, **tables) == ([11] if rises else [])
    assert found(spark, down, **tables) == ([11] if falls else [])


def test_counts_of_bill_rises_fall_as_the_factor_rises(spark):
    tables = {
        "ods_bill": bills(
            S11=("10", "10", "10", "25"), S21=("10", "10", "10", "35"), S31=("10", "10", "10", "45")
        )
    }
    counts = [
        len(found(spark, {"event": "bill_rise", "factor": b, "months": 3}, **tables))
        for b in ("2", "3", "4")
    ]
    assert counts == [3, 2, 1]


def test_the_mean_bill_is_of_the_months_with_a_bill(spark):
    """The bills of one month add up, whichever source they come from."""
    tables = {
        "ods_bill": [
            *bills(S11=("900", "80", None, "80"), S21=(None, None, None, "79.999")),
            *bills(S31=(None, None, None, "40")),
            *bills(S31=(None, None, None, "40")),
        ]
    }
    mean = {"fact": "mean_bill", "over_months": 3, "at_least": "80.00"}
    assert found(spark, mean, **tables) == [11, 31]
    assert found(spark, {"fact": "last_bill", "at_least": "80"}, **tables) == [11, 31]


TARIFF = {
    "event": "tariff_contact",
    "businesses": ["tariff", "bill_query"],
    "times": 2,
    "within_days": 60,
}
ASKED = named(
    "contact_id customer_id kind business_code local_date",
    (1, 1, "enquiry", "bill_query", DAY),
    (2, 1, "complaint", "tariff", before(59)),
    (3, 2, "query", "bill_query", DAY),  # looked a bill up: no enquiry
    (4, 2, "enquiry", "tariff", DAY),
    (5, 3, "enquiry", "tariff", DAY),
    (6, 3, "enquiry", "tariff", before(60)),
)


def test_who_asked_or_complained_about_tariffs(spark):
    assert found(spark, TARIFF, dw_contact_event=ASKED) == [11]
    assert found(spark, {**TARIFF, "within_days": 61}, dw_contact_event=ASKED) == [11, 31]


def test_a_member_is_told_the_conditions_that_hold(spark):
    asked = target(
        {
            "and": [
                {"fact": "status", "in": ["active", "arrears"]},
                {"or": [{"fact": "brand", "is": "mzone"}, {"fact": "brand", "is": "easyown"}]},
                {"not": {"fact": "vip_level", "is": "gold"}},
            ]
        }
    )
    rows = members(asked, facts(spark, asked), DAY)
    said = {row["subscriber_id"]: row["entered_because"] for row in rows.collect()}
    of_21 = "status in active/arrears; brand is mzone; not (vip_level is gold)"
    of_22 = "status in active/arrears; brand is easyown; not (vip_level is gold)"
    assert said == {21: of_21, 22: of_22}
    (customer,) = by_customer(rows).collect()
    assert customer.asDict() == {
        "customer_id": 2,
        "subscriber_ids": [21, 22],
        "entered_because": f"{of_22} | {of_21}",
    }


def test_the_funnel_says_what_each_condition_takes(spark):
    asked = target(
        {
            "and": [
                {"fact": "status", "is": "active"},
                {"fact": "brand", "is": "gotone"},
                {"fact": "join_date", "within_days": 90},
            ]
        }
    )
    given = facts(spark, asked)
    assert funnel(asked, given, DAY) == [
        FunnelStep("all subscribers", 4, 0, 4, 3),
        FunnelStep("status is active", 3, 1, 3, 3),
        FunnelStep("brand is gotone", 2, 1, 2, 2),
        FunnelStep("join_date within days 90", 2, 1, 1, 1),
    ]
    assert [tuple(row) for row in by_branch_and_brand(asked, given, DAY).collect()] == [
        ("西", "gotone", 1, 1)
    ]


def test_several_definitions_share_one_scan_of_a_table(spark):
    """The contact log stands once in the plan, and each definition gets what it gets alone."""
    one, other = target(TARIFF), target({**TARIFF, "within_days": 61})
    tables = {
        "dw.subscriber": frame(spark, "dw.subscriber", *PEOPLE),
        "dw.contact_event": frame(spark, "dw.contact_event", *ASKED),
    }
    shared = measured([*one.asked, *other.asked], tables, DAY, MONTHS)
    plan = shared.frame._jdf.queryExecution().optimizedPlan().toString()
    assert plan.count("LocalRelation") == len(tables)
    ids = [
        sorted(row["subscriber_id"] for row in members(asked, shared, DAY).collect())
        for asked in (one, other)
    ]
    assert ids == [[11], [11, 31]]
