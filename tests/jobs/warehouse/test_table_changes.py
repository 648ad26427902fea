"""A table with rows whose contract changes: what it holds before and after it has followed."""

from dataclasses import replace
from decimal import Decimal

import pytest

from jobs.warehouse import delta_log
from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import Ledger
from jobs.warehouse.tables import Tables
from jobs.warehouse.warehouse import Warehouse
from schemas.contract.column_type import parse
from schemas.errors import ConfigError, InputError
from schemas.window import Window
from tests.given.rows import CONTRACTS, frame
from tests.given.warehouse_steps import FIRST, SECOND, ledger_of, step
from tests.readers.warehouse_reader import all_rows
from tests.readers.warehouse_reader import table as delta_table

WEB = CONTRACTS["push.web"]
MOOD = replace(
    WEB.column("reason"), name="mood", name_cn="心情", required=False, max_length=9, example="calm"
)


def with_columns(change):
    return replace(WEB, columns=tuple(change(list(WEB.columns))))


def altered(name, **changes):
    return with_columns(
        lambda columns: [replace(one, **changes) if one.name == name else one for one in columns]
    )


def wider(name, kind):
    return altered(name, type=kind, data_type=parse(kind))


class Runs:
    """Runs over one warehouse that holds push.web, each with a contract of its own."""

    def __init__(self, spark, root, conf):
        self.spark, self.root, self.conf = spark, root, conf

    def opened(self, web, run_id):
        contracts = {**CONTRACTS, "push.web": web}
        made = Warehouse(
            Tables(self.spark, str(self.root), contracts, run_id),
            contracts,
            self.conf,
            Ledger(run_id, self.conf.fingerprint),
            Judge(None, run_id),
        )
        made.open(["push.web"])
        return made

    def night(self, web, run_id, rows, day=FIRST):
        wh = self.opened(web, run_id)
        with wh.step(step(writes=["push.web"]), Window(day, day)):
            wh.replace("push.web", rows)
        wh.close()

    def rows(self, *columns):
        found = all_rows(self.root, "push.web").to_pylist()
        return sorted(tuple(row[name] for name in columns) for row in found)

    def notes(self, run_id):
        found = ledger_of(self.root, run_id, "table", "slice", "state", "message")
        return [row for row in found if row[2] in ("migrated", "expired")]


@pytest.fixture
def runs(spark, tmp_path, conf):
    """A warehouse after a first night: two targets in push.web."""
    made = Runs(spark, tmp_path, conf)
    night = frame(
        spark,
        "push.web",
        {"data_date": FIRST, "subscriber_id": 1},
        {"data_date": FIRST, "subscriber_id": 2},
    )
    made.night(WEB, "first", night)
    return made


def test_a_table_with_rows_gets_an_optional_column(spark, runs):
    changed = with_columns(lambda columns: [*columns[:3], MOOD, *columns[3:]])
    new = frame(spark, "push.web", {"data_date": SECOND, "subscriber_id": 3}).selectExpr(
        "*", "'calm' AS mood"
    )
    runs.night(changed, "second", new, SECOND)
    assert runs.rows("subscriber_id", "mood") == [(1, None), (2, None), (3, "calm")]
    assert runs.notes("second") == [
        (
            "push.web",
            "-",
            "migrated",
            f"mood added; mood_max_length added; contract {changed.version}",
        )
    ]
    found = delta_table(runs.root, "push.web")
    assert found.schema().to_arrow().names == list(changed.column_names)
    assert found.protocol().min_reader_version == 1
    before = found.version()
    runs.opened(changed, "third").close()
    assert delta_table(runs.root, "push.web").version() == before
    assert runs.notes("third") == []


def test_a_table_that_has_followed_is_like_one_that_its_contract_has_made(runs, spark, tmp_path):
    changed = with_columns(
        lambda columns: [
            MOOD,
            *(
                replace(one, max_length=40, name_cn="理由") if one.name == "reason" else one
                for one in columns
                if one.name != "months_won"
            ),
            replace(WEB.column("months_won"), required=False, min=None),
        ]
    )
    changed = replace(changed, grain="one target", sort_by=("customer_id",))
    runs.opened(changed, "second").close()
    Tables(spark, str(tmp_path / "other"), {"push.web": changed}).prepare(["push.web"])
    made = delta_log.stored(str(tmp_path / "other"), "push.web")
    there = delta_log.stored(str(runs.root), "push.web")
    assert there.properties.keys() == made.properties.keys()
    assert {one.name: one for one in there.columns} == {one.name: one for one in made.columns}
    assert there.comment == made.comment
    runs.opened(changed, "third").close()
    assert runs.notes("third") == []


def test_a_limit_that_rows_break_is_refused_and_nothing_changes(runs):
    before = delta_table(runs.root, "push.web").version()
    changed = altered("saving", min=Decimal("99.00"))
    with pytest.raises(ConfigError) as raised:
        runs.opened(changed, "second")
    assert str(raised.value) == (
        "push.web: 2 rows that are there break saving_range, a limit that is new in the contract: "
        "`saving` IS NULL OR (`saving` >= 99.00); put the limit back as it was"
    )
    assert delta_table(runs.root, "push.web").version() == before


def test_a_difference_that_a_table_cannot_follow_is_refused_when_it_is_opened(runs):
    with pytest.raises(ConfigError) as raised:
        runs.opened(with_columns(lambda columns: columns[1:]), "second")
    assert str(raised.value) == (
        "push.web: column 'before_lines': the table has it (string), the contract does not"
    )


def test_what_was_in_a_table_that_was_moved_away_is_no_longer_committed(runs, spark):
    (runs.root / "push" / "web").rename(runs.root / "kept")
    wh = runs.opened(wider("wave", "bigint"), "second")
    with (
        pytest.raises(InputError, match=r"push\.web is not committed for 2009-05-01"),
        wh.step(step(reads=["push.web"]), Window(FIRST, FIRST)),
    ):
        wh.read("push.web", on=FIRST)
    wh.close()
    assert runs.notes("second") == [
        ("push.web", "2009-05-01", "expired", "the table was moved away; it was of run first")
    ]
    again = frame(spark, "push.web", {"data_date": FIRST, "subscriber_id": 1})
    runs.night(wider("wave", "bigint"), "third", again)
    assert runs.opened(wider("wave", "bigint"), "fourth").ledger.is_committed("push.web", FIRST)
