"""The operations part of the report, from rows of the ledger and judgements."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

from jobs.pages import night_page
from jobs.warehouse.ledger import COMMITTED, FAILED, CheckResult, Entry
from schemas.config.source import Cadence
from schemas.render.expectations import UNHELD_EVENTS
from schemas.window import Window

DAY = date(2009, 5, 3)
NIGHT = Window(DAY, DAY)
AT = datetime(2009, 5, 4, 6, 0, tzinfo=UTC)


def source(name_cn, optional=False, **cadence):
    return SimpleNamespace(
        name_cn=name_cn,
        cadence=Cadence(**cadence),
        optional=optional,
        tables=("ods.one",),
        also=(),
    )


CONF = SimpleNamespace(
    sources={
        "voice": source("语音清单"),
        "bill": source("月账单", monthly=3),
        "wap_log": source("WAP日志", optional=True),
        "web_log": source("网站日志"),
    }
)


def noted(name, day=DAY, state=COMMITTED, run="r2", seconds=10, message=None, **rows):
    counts = {
        f"rows_{part}": rows.get(part, 0)
        for part in ("delivered", "accepted", "rejected", "duplicate", "late", "warned")
    }
    at = AT + timedelta(days=(day - DAY).days)
    return Entry(
        run,
        f"ingest.{name}",
        name,
        f"ods.{name}",
        str(day),
        state,
        "print",
        committed_at=at,
        started_at=at - timedelta(seconds=seconds),
        message=message,
        **(counts if state == COMMITTED else {}),
    )


def verdict(name, check, severity="warning", success=False, run="r2"):
    return CheckResult(
        run,
        name,
        f"ods.{name}",
        str(DAY),
        check,
        severity,
        success,
        "0.3",
        "at most 0.1",
        datetime(2009, 5, 4, tzinfo=UTC),
    )


ENTRIES = [
    *[
        noted(
            "voice",
            DAY - timedelta(days=back),
            run=f"r-{back}",
            delivered=7000 + 10 * back,
            accepted=7000,
        )
        for back in range(40, 0, -1)
    ],
    noted(
        "voice",
        seconds=40,
        delivered=7149,
        accepted=7117,
        rejected=16,
        duplicate=16,
        late=36,
        warned=5,
    ),
    noted("bill", delivered=10, accepted=8, rejected=2, message="accepted: <known> fault"),
    noted("web_log", state=FAILED, message="reject_share: 0.4000, expected at most 0.05"),
]
VERDICTS = [
    verdict("voice", "late_share"),
    verdict("voice", "late_share", success=True, run="r3"),
    verdict("bill", "reject_share", "critical"),
    verdict("bill", "reject_share"),
    verdict("voice", "warning: a call of an hour"),
]
REASONS = [("voice", "direction: expected one of mo, mt, fwd", 12), ("bill", "a <b>", 2)]


def rows(page, title):
    """The rows of the table under a title, as the texts of their cells."""
    part = page[page.index(f"<h2>{title}") :].split("</table>")[0]
    return [
        [
            re.sub("<title>.*?</title>|<[^>]+>", "", cell)
            for cell in re.findall("<td.*?>(.*?)</td>", row)
        ]
        for row in part.split("<tr>")[2:]
    ]


def page(entries=ENTRIES, verdicts=VERDICTS, window=NIGHT):
    return "\n".join(night_page.parts(entries, verdicts, REASONS, CONF, window))


def test_what_wants_a_look_is_said_first_and_only_by_the_newest_judgement():
    assert rows(page(), "To look at") == [
        ["passed", "bill", "2009-05-03", "accepted: &lt;known&gt; fault"],
        ["missing", "wap_log", "2009-05-03", "optional"],
        ["failed", "web_log", "2009-05-03", "reject_share: 0.4000, expected at most 0.05"],
        ["failed", "bill", "2009-05-03", "reject_share: 0.3, expected at most 0.1"],
        ["warning", "voice", "2009-05-03", "warning: a call of an hour: 0.3, expected at most 0.1"],
    ]
    assert "<b>2 of 4</b>deliveries in" in page()
    assert "<b>2</b>checks not passed" in page()


def test_a_night_without_a_fault_has_nothing_to_look_at():
    well = [noted(name, delivered=5, accepted=5) for name in CONF.sources]
    assert night_page.ALL_WELL in page(well, [verdict("voice", "late_share", success=True)])


def test_a_delivery_has_its_counts_and_is_drawn_among_those_before_it():
    found = rows(page(), "Deliveries")
    assert [row[:10] for row in found] == [
        ["voice", "语音清单", "2009-05-03", "committed", "7,149", "7,117", "16", "16", "36", "5"],
        ["bill", "月账单", "2009-05-03", "committed", "10", "8", "2", "0", "0", "0"],
        ["wap_log", "WAP日志", "2009-05-03", "missing", *[""] * 6],
        ["web_log", "网站日志", "2009-05-03", "failed", *[""] * 6],
    ]
    assert page().count("<title>2009-") == 30 + 1, "30 days of voice, one of bill"
    assert "<title>2009-05-03: 7,149 rows</title>" in page()
    assert "2009-04-03: " not in page(), "a day before the thirty"


def test_a_range_has_the_sums_of_its_days():
    first = [
        row
        for row in rows(page(window=Window(DAY - timedelta(days=1), DAY)), "Deliveries")
        if row[0] == "voice"
    ]
    assert first[0][2:5] == ["2009-05-03", "committed", "14,159"]


def test_a_step_that_took_far_longer_than_usual_says_so():
    assert rows(page(), "Steps")[0] == ["ingest.voice", "40.0", "10.0", "40", "", "4.0 times"]
    usual = [*ENTRIES[:-3], replace(ENTRIES[-3], started_at=AT - timedelta(seconds=14))]
    assert rows(page(usual), "Steps")[0][-1] == ""


def test_numbers_without_an_owner_are_listed_by_their_newest_count():
    def counted(name, observed, run="r2"):
        return replace(verdict(name, UNHELD_EVENTS, success=True, run=run), observed=observed)

    title = "Events of numbers that nobody held"
    found = [counted("voice", "7 of 9 events", "r1"), counted("web_log", "0 of 5 contacts")]
    listed = page(verdicts=[*found, counted("voice", "2 of 9 events")])
    assert rows(listed, title) == [["voice", "2009-05-03", "2 of 9 events"]]
    assert "every number had an owner" in page()


def test_reasons_are_shown_as_text():
    assert rows(page(), "Why rows were rejected")[1][:3] == ["bill", "a &lt;b&gt;", "2"]
