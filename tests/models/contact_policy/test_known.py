"""What the lists of a night say about whom."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from models.contact_policy import known, rules
from models.contact_policy.compiled import compiled
from models.intake.number_form import number_of
from schemas.config.settings import Numbers
from tests.given.contact_policies import POLICY, ZONE, contacts
from tests.given.frames import local_frame
from tests.given.rows import frame, named

RULES = compiled(
    contacts(
        channels={
            "sms": {
                "way": "intrusive",
                "open_from": "09:00",
                "open_to": "20:00",
                "contact_at": "10:00",
                "listed_for": "10h",
                "report_within": "2d",
            }
        },
        classes={
            **POLICY["classes"],
            "care": {**POLICY["classes"]["care"], "campaign_types": ["care"]},
            "marketing": {**POLICY["classes"]["marketing"], "campaign_types": ["tariff"]},
        },
    ),
    {},
)


def instant(text):
    return datetime.strptime(f"2008-{text}", "%Y-%m-%d").replace(tzinfo=ZoneInfo(ZONE))


def owners(spark):
    """Customer 1 holds …1 until May and …2; customer 2 holds …1 from June on."""
    return frame(
        spark,
        "dw.subscriber_identity",
        *(
            {
                **one,
                "valid_from": instant(one["valid_from"]),
                "valid_to": one["valid_to"] and instant(one["valid_to"]),
            }
            for one in named(
                "msisdn customer_id valid_from valid_to",
                ("13800000001", 1, "01-01", "05-01"),
                ("13800000002", 1, "01-01", None),
                ("13800000001", 2, "06-01", None),
            )
        ),
    )


def listed(spark, *entries):
    """do_not_contact, by (number, channel, type, listed, delisted, changed)."""
    return frame(
        spark,
        "ods.do_not_contact",
        *(
            {
                "msisdn": number_of(number, Numbers()),
                "channel": channel,
                "campaign_type": of,
                "listed_at": instant(since),
                "delisted_at": until and instant(until),
                "changed_at": instant(changed),
            }
            for number, channel, of, since, until, changed in entries
        ),
    )


def test_an_objection_is_about_the_person_who_held_the_number(spark):
    entries = listed(
        spark,
        ("138 0000 0001", "sms", "tariff", "02-01", None, "02-01"),
        ("+8613800000001", None, "care", "05-10", None, "05-10"),
        ("008613800000002", None, None, "03-01", None, "03-01"),
        ("13800000002", None, None, "03-01", "04-01", "04-01"),
        ("13800000009", None, None, "03-01", None, "03-01"),
    )
    found = known.closed(entries, owners(spark), RULES).collect()
    assert sorted(
        (
            row["customer_id"],
            row["channel"] or "",
            row["class"] or "",
            row["valid_to"] and row["valid_to"].astimezone(ZoneInfo(ZONE)).month,
        )
        for row in found
    ) == [(1, "", "", 4), (1, "sms", "marketing", None), (2, "", "care", None)]


def test_the_newest_list_of_sensitive_numbers_holds_for_who_has_the_number(spark):
    def on(day):
        lists = frame(
            spark,
            "ods.sensitive_number",
            *named(
                "month msisdn",
                (date(2008, 4, 1), "13800000001"),
                (date(2008, 6, 1), "13800000001"),
                (date(2008, 7, 1), "13800000002"),
            ),
        )
        found = known.sensitive(lists, owners(spark), date.fromisoformat(f"2008-{day}")).collect()
        return [row["customer_id"] for row in found]

    assert on("04-29") == [1]
    assert on("04-30") == []  # the number has changed hands, and its next owner has not come
    assert on("05-31") == [2]
    assert on("06-30") == [1]


def test_a_night_judges_from_its_tables(spark):
    """One with contacts in the window, one who objected, one of whom nothing is known."""
    made = {"class": "marketing", "way": "intrusive", "channel": "sms", "state": "made"}
    tables = known.Tables(
        history=frame(
            spark,
            "dw.contact_history",
            *(
                {**made, "customer_id": 3, "contact_id": no, "happened_at": instant("05-09")}
                for no in range(2)
            ),
        ),
        outcomes=frame(spark, "dw.contact_outcome"),
        consent=frame(spark, "dw.consent"),
        identity=owners(spark),
        do_not_contact=listed(spark, ("13800000001", None, None, "02-01", None, "02-01")),
        sensitive_numbers=frame(spark, "ods.sensitive_number"),
    )
    candidates = local_frame(
        spark,
        [(who, "spring", "gotone_58", "sms") for who in (1, 3, 4)],
        "customer_id bigint, campaign_id string, offer string, channel string",
    )
    day = date(2008, 5, 9)
    met = known.planned(candidates, RULES, classes={"spring": "marketing"}, data_date=day)
    found = rules.judged(met, known.facts(tables, RULES, data_date=day), RULES, ZONE).collect()
    assert {row["customer_id"]: row["contact_reasons"] for row in found} == {
        1: ["CONSENT"],
        3: ["CAP_CHANNEL"],
        4: [],
    }
    assert {str(row["planned_at"].astimezone(ZoneInfo(ZONE)))[:16] for row in found} == {
        "2008-05-10 10:00"
    }
