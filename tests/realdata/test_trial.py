"""The trial over real calls, messages and service contacts shows the known truths."""

from collections import defaultdict
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from jobs import night
from models.reference.rater import Rater
from schemas import config
from schemas.window import add_months
from tests.readers.warehouse_reader import events, query, rerated
from tests.realdata import figures
from tests.realdata.__main__ import CONF, NIGHTS, ROOT, main, options

DATA = ROOT.parent / "shared" / "data"
pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def trial(spark, tmp_path_factory) -> Path:
    if not DATA.is_dir():
        pytest.skip("no folder of real data beside the project")
    build = tmp_path_factory.mktemp("trial")
    for day in NIGHTS:
        assert night.main(["--data-date", day, *options(DATA, build)]) == 0
    return build / "warehouse"


def test_every_delivered_row_is_accounted_for(trial):
    assert figures.deliveries(trial) == [
        ("copenhagen_call", 3600, 3600, 0, 0),
        ("copenhagen_message", 24333, 24312, 0, 21),
        ("nodobo_call", 13035, 13004, 31, 0),
        ("sf311_case", 10000, 9907, 93, 0),
    ]


def test_a_reset_clock_and_a_channel_of_no_customer_are_the_only_reasons(trial):
    found = [
        (source, reason.split(":")[0], rows) for source, reason, rows in figures.rejections(trial)
    ]
    assert found == [("nodobo_call", "occurred_at", 31), ("sf311_case", "source", 93)]


def test_missed_calls_are_kept_and_never_charged(trial):
    assert figures.missed(trial) == {"nodobo_call": 1821, "copenhagen_call": 366}
    missed_in_cube = query(
        trial,
        "SELECT count(*), sum(duration_s) FROM v WHERE "
        "outcome = 'missed' AND source = 'copenhagen_call'",
        v="ods.voice_call",
    )
    assert missed_in_cube == [(366, 0)]


def test_months_are_cut_in_the_local_time_of_the_file(trial):
    """Of every call the local day and second are those written in its line, whatever the offset."""
    written = defaultdict(int)
    with open(DATA / "nodobo_calls" / "calls.csv", encoding="utf-8") as lines:
        for line in lines:
            _, month, _, _, _, year = line.rsplit(",", 1)[1].split()
            if year != "1980":
                written[year, month] += 1
    kept = query(
        trial,
        "SELECT strftime(local_date, '%Y'), strftime(local_date, '%b'), "
        "count(*) FROM v WHERE source = 'nodobo_call' GROUP BY ALL",
        v="ods.voice_call",
    )
    assert {(year, month): rows for year, month, rows in kept} == dict(written)


def test_the_view_holds_the_contacts_of_the_customers_channels(trial):
    assert figures.channels(trial) == {
        "hotline": 5895,
        "mobile": 2256,
        "web": 1658,
        "twitter": 89,
        "email": 9,
    }
    assert figures.customers(trial) == (6296, 691)


def test_quotes_of_real_callers_equal_the_reference_rater(trial):
    conf = config.load([ROOT / "conf", CONF])
    used = events(trial)
    raters = {name: Rater(document.data, toll="ip_only") for name, document in conf.tariffs.items()}
    quoted = query(
        trial,
        """
        SELECT subscriber_id, month, package_id, total, passed_through, data_date
        FROM q WHERE comparable ORDER BY data_date, month""",
        q="mart.package_quote",
    )
    real = {subscriber for subscriber, mine in used.items()}
    assert {row[0] for row in quoted} <= real
    assert len(quoted) > 5000
    months, left = set(), {}
    for subscriber, month, package, total, passed, day in quoted:
        before = add_months(month, -1)
        bill = rerated(
            raters[package],
            used[subscriber],
            month,
            None,
            left.get((subscriber, package, day, before)),
        )
        left[subscriber, package, day, month] = {
            name: use.carry_out for name, use in bill.pools.items()
        }
        assert (Fraction(total), passed) == (bill.total, 0), (subscriber, month, package)
        months.add(month)
    assert months == {
        date(2010, 9, 1),
        date(2010, 10, 1),
        date(2010, 11, 1),
        date(2010, 12, 1),
        date(2011, 1, 1),
    }


def test_every_month_is_comparable_and_some_were_replayed(trial):
    rows = query(
        trial,
        "SELECT comparable, replayed, count(*) FROM q GROUP BY ALL ORDER BY ALL",
        q="mart.package_quote",
    )
    assert [row[:2] for row in rows] == [(True, False), (True, True)]
    assert rows[1][2] > 50


def test_without_the_data_the_trial_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        "sys.argv", ["trial", "--data", str(tmp_path / "none"), "--build", str(tmp_path)]
    )
    assert main() == 0
    assert "are not part of the project" in capsys.readouterr().out
