"""Numbers in eleven writings find their owner; what belongs to nobody is counted and judged."""

from datetime import date
from types import SimpleNamespace

import pytest
import yaml

from schemas import config
from tests.given import call_source
from tests.given.number_writings import WRITINGS
from tests.given.paths import CONF
from tests.given.tiny_nights import TinyNights
from tests.given.tiny_province import HEADER, MARK, deliveries
from tests.readers.warehouse_reader import query

FIRST, DAY = date(2009, 5, 2), date(2009, 5, 3)
KEPT = ("customer", "subscriber", "package_subscription", "web_log", "do_not_contact")
ONE, LEFT, STRANGE = "13800000001", "13800000007", "13955555555"
ELEVEN = list(WRITINGS.values())[:11]
STEPS = "ingest,identity,usage_day,contact_event"
LIMITS = {"warn_share": "0.05", "stop_share": "0.10"}


def calls(callers, first=0):
    """Lines of calls of a minute each, in tabs: a number may have any mark but a tab."""
    return [
        "\t".join(
            (
                f"V{n}",
                caller,
                "13900000002",
                f"20090503{10 + n // 60}{n % 60:02}00",
                "60",
                "",
                "0.1",
            )
        )
        for n, caller in enumerate(callers, start=first)
    ]


def people():
    """The six of the tiny province and one who left in April; the list names her number oddly."""
    made = {name: deliveries()[name, FIRST][0] for name in KEPT[:3]}
    made["customer"] += ["Ｃ7\u3000|个人|王小明|男|19800101|海淀|普通|20050601|20090101000000"]
    made["subscriber"] += [
        "S7|C7|+86 138-0000-0007|1000|9|20050601|010|海淀分公司|0|1|20050601000000"
        "|20090401000000|20090401000000"
    ]
    listed = "8613800000001|||1|20090105100000|20991231235959|20090105100000"
    return made | {"do_not_contact": [listed]}


def visits():
    numbers = [ONE, " 138 0000 0002\u00a0", LEFT, STRANGE, "", "unknown"]
    return [
        MARK + HEADER,
        *(
            f'W{n},1,portal,{number},{DAY} 09:00:0{n},30,"余额",1,,查询,,done,'
            for n, number in enumerate(numbers)
        ),
    ]


@pytest.fixture(scope="module")
def night(spark, tmp_path_factory):
    """Three sources of calls: of customers, of some who had left, of numbers that nobody knows."""
    folder = tmp_path_factory.mktemp("nobody")
    shipped = config.load([CONF]).sources
    names = ("ours", "left", "strange")
    overlay = call_source.overlay(
        [name for name in shipped if name not in KEPT],
        {name: {"pattern": "calls.txt"} for name in names},
        {name: {"delimiter": "\t"} for name in names},
        {"warn_share": "0.5", "stop_share": "0.9"},
    )
    (folder / "conf").mkdir()

    def configured(**owners):
        for name in names:
            overlay[name].pop("owners", None)
            overlay[name] |= {"owners": owners[name]} if name in owners else {}
        text = yaml.safe_dump(overlay, allow_unicode=True)
        (folder / "conf" / "sources.yml").write_text(text, encoding="utf-8")

    configured()
    made = TinyNights(folder, config.load([CONF, folder / "conf"]).sources, folder / "conf")
    for name, lines in people().items():
        made.landing.write(name, DAY, [lines])
    made.landing.write("web_log", DAY, [visits()])
    # A tab cuts the fields here: in its place stands another character that nobody sees.
    writings = [writing(ONE).replace("\t", "\u2003") for writing in ELEVEN]
    made.landing.write("ours", DAY, [calls(writings)])
    made.landing.write("left", DAY, [calls([ONE] * 45 + [LEFT] * 4 + [STRANGE], first=20)])
    made.landing.write("strange", DAY, [calls([STRANGE] * 8 + [ONE] * 2, first=80)])
    code = made.run(STEPS, DAY)
    return SimpleNamespace(made=made, code=code, configured=configured)


def counted(night):
    """The newest counts of each source and table."""
    return dict(
        query(
            night.made.warehouse,
            """SELECT source, max_by(observed, judged_at) FROM q
            WHERE "check" = 'unheld_events' AND slice = '2009-05-03' GROUP BY 1""",
            q="ops.quality_result",
        )
    )


def test_calls_in_eleven_writings_are_rated_for_one_subscriber(night):
    assert night.code == 0
    found = query(
        night.made.warehouse,
        """SELECT msisdn, sum(events), sum(quantity)
        FROM d JOIN i USING (subscriber_id) GROUP BY 1""",
        d="dw.usage_day",
        i="dw.subscriber_identity",
    )
    assert found == [(ONE, 11 + 45 + 2, (11 + 45 + 2) * 60)]


def test_what_belongs_to_nobody_is_counted_by_source_and_day(night):
    assert counted(night) == {
        "ours": "0 of 11 events: 0 of numbers never known, 0 of numbers held at other times only",
        "left": "5 of 50 events: 1 of numbers never known, 4 of numbers held at other times only",
        "strange": "8 of 10 events: 8 of numbers never known, 0 of numbers held at other times "
        "only",
        "web_log": "2 of 4 contacts: 1 of numbers never known, 1 of numbers held at other times "
        "only",
    }
    judged = query(
        night.made.warehouse,
        """SELECT source, severity, success, observed, expected FROM q
        WHERE "check" = 'unheld_share' ORDER BY ALL""",
        q="ops.quality_result",
    )
    assert judged == [  # the other deliveries are too small for a share to mean much
        ("left", "critical", True, "0.1000", "at most 0.2"),
        ("left", "warning", False, "0.1000", "at most 0.01"),
    ]


def test_lists_and_keys_are_in_the_form_of_the_customer_files(night):
    tables = {"d": "ods.do_not_contact", "c": "ods.customer", "s": "ods.subscriber"}
    assert query(night.made.warehouse, "SELECT msisdn FROM d", **tables) == [(ONE,)]
    assert query(
        night.made.warehouse,
        "SELECT c.customer_no, msisdn FROM c JOIN s USING (customer_no) WHERE subscriber_no = 'S7'",
        **tables,
    ) == [("C7", LEFT)]


def test_a_contact_finds_its_customer_in_every_writing(night):
    rows = query(
        night.made.warehouse,
        "SELECT source_record, customer_id IS NOT NULL FROM e ORDER BY 1",
        e="dw.contact_event",
    )
    assert rows == [(f"W{n}", n in (0, 1)) for n in range(6)]


def test_a_share_above_the_limit_of_its_source_stops_the_step_and_says_why(night, capfd):
    night.configured(left={"warn_share": "0.01", "stop_share": "0.05"}, strange=LIMITS)
    capfd.readouterr()
    assert night.made.run("usage_day", DAY) == 3
    help_ = (
        ": complete the customer files, widen owners.stop_share of the source, or let it pass once "
        "with --accept-rejects"
    )
    assert capfd.readouterr().err == (
        "chudian: left 2009-05-03: 5 of 50 events (10.0%) are of numbers that nobody "
        "held at that time, expected at most 5.0%; most often somebody held the number at another "
        f"time only: owners who had left or had not joined yet{help_}; strange 2009-05-03: 8 of 10 "
        "events (80.0%) are of numbers that nobody held at that time, expected at most 10.0%; most "
        f"often the number is in no customer file{help_}\n"
    )
    assert night.made.run("usage_day", DAY, more=["--accept-rejects", "known, ticket 4711"]) == 0
