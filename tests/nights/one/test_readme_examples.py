"""The examples of README and manual, run as they are written there."""

import itertools
import re
import shutil
from decimal import Decimal

import pytest

from tests.given.manual import blocks_in, write_local_files
from tests.given.one_night import OPTIONS
from tests.given.small_province import LAST
from tests.readers.warehouse_reader import query

CALLS = """ticket;caller;answered_at;seconds;topic
E1;{number};2009-05-03 09:15:00;42;T1
E2;{number};2009-05-03 09:20:00;60;T9
"""


@pytest.fixture(scope="module")
def added(one_night, tmp_path_factory):
    """The night's last day once more, with a source, a channel and a package added by YAML."""
    folder = tmp_path_factory.mktemp("readme")
    # The cluster's profile is for a cluster; that it is accepted is tested with the manual.
    write_local_files(folder / "conf", leave_out=("runtime.yml",))
    (number,) = query(
        one_night.warehouse,
        "SELECT min(msisdn) FROM i WHERE valid_to IS NULL",
        i="dw.subscriber_identity",
    )[0]
    for source in one_night.landing.iterdir():
        (folder / "landing").mkdir(exist_ok=True)
        (folder / "landing" / source.name).symlink_to(source)
    delivery = folder / "landing" / "hotline_east_log" / LAST / "east_20090503.csv"
    delivery.parent.mkdir(parents=True)
    delivery.write_text(CALLS.format(number=number), encoding="utf-8")
    shutil.copytree(one_night.warehouse, folder / "warehouse")
    from jobs import night

    assert (
        night.main(
            [
                "--data-date",
                LAST,
                *OPTIONS,
                "--conf",
                str(folder / "conf"),
                "--only",
                "ingest.hotline_east_log,contact_event,contact_view,rerate,preference",
                "--landing",
                str(folder / "landing"),
                "--warehouse",
                str(folder / "warehouse"),
                "--push",
                str(folder / "push"),
            ]
        )
        == 0
    )
    return folder / "warehouse"


def test_the_added_source_is_ingested_beside_the_others(added):
    """T1 is a listed code, T9 is not: it stays as the file has it."""
    assert query(
        added,
        "SELECT contact_no, business_code, duration_s FROM c WHERE source = "
        "'hotline_east_log' ORDER BY 1",
        c="ods.contact",
    ) == [("E1", "bill_query", 42), ("E2", "T9", 60)]
    assert query(
        added,
        "SELECT DISTINCT channel, kind, customer_id IS NOT NULL FROM e WHERE "
        "source = 'hotline_east_log'",
        e="dw.contact_event",
    ) == [("hotline", "enquiry", True)]


def test_the_added_channel_is_ranked_for_every_customer(added):
    ranked, customers = query(
        added,
        "SELECT count(*) FILTER (channel = 'kiosk'), count(DISTINCT customer_id) FROM p",
        p="mart.channel_preference",
    )[0]
    assert ranked == customers > 0


def test_the_added_package_is_quoted(added):
    quoted, comparable = query(
        added,
        "SELECT count(*), count(*) FILTER (comparable) FROM q WHERE package_id = 'gotone_48'",
        q="mart.package_quote",
    )[0]
    assert quoted > 0
    assert comparable > 0


def test_packages_are_ranked_by_the_priority_of_the_example(added):
    """saving + 0.5 × expected_income_change, with usage that answers to its price (S2-09)."""
    ranked = query(
        added,
        """
        SELECT subscriber_id, kind, months, saving + 0.5 * expected_income_change, saving,
               expected_saving, usage_change
        FROM m WHERE rank IS NOT NULL AND saving IS NOT NULL ORDER BY 1, 2, rank""",
        m="mart.package_match",
    )
    followed = 0
    for (*one, worth, _, _, _), (*other, less, _, _, _) in itertools.pairwise(ranked):
        if one == other:
            followed += 1
            assert worth >= less - Decimal("0.000002"), one
    assert followed > 100
    changed = [row for row in ranked if row[-1]]
    assert changed
    assert all(-1 <= row[-1] <= Decimal("0.3") for row in changed)
    # Dearer usage is used less, which saves; cheaper usage is used more, which costs.
    assert all((expected - saving) * change <= 0 for *_, saving, expected, change in ranked)


@pytest.mark.parametrize("example", blocks_in("python"), ids=lambda text: text.split('"')[1])
def test_the_python_examples_print_their_tables(one_night, example, tmp_path, monkeypatch, capsys):
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "warehouse").symlink_to(one_night.warehouse)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "example", "exec"), {})
    printed = capsys.readouterr().out
    assert "count_star()" in printed
    assert not re.search(r"\b0 rows", printed)
