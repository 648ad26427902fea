"""Erasing one customer: all of the customer's data goes, nobody else's, and it stays gone."""

import json
import shutil
from datetime import date, datetime
from functools import reduce
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import duckdb
import pytest
from pyarrow import parquet
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import erase, handover, undo
from jobs.warehouse import delta_log
from jobs.warehouse.delta_log import Commit
from models.customer import erasure
from schemas import config, contract
from schemas.errors import ChudianError, ConfigError
from tests.given.one_night import CONF_FOLDERS, OPTIONS, Night, pushed_files
from tests.given.small_province import LAST
from tests.readers.warehouse_reader import all_rows, query, table

CONTRACTS = contract.load()
KEYS = ("customer_no", "customer_id", "subscriber_no", "subscriber_id", "msisdn")


# -- what the contracts say ---------------------------------------------------------------------


def test_no_table_with_a_persons_column_is_missed():
    """By the columns' names as by their classification; records of erasure and consent stay."""
    conf = config.load(CONF_FOLDERS)
    personal = {
        one.table
        for one in CONTRACTS.values()
        for column in one.columns
        if column.name in KEYS
        or column.name.endswith(("msisdn", "customer_id"))
        or column.personal in ("number", "name", "address")
    }
    assert set(erase.conditions(CONTRACTS, conf)) == personal - {"ops.erasure", "dw.consent"}
    assert len(personal) > 20


def test_a_table_of_which_no_column_says_whose_a_row_is_is_refused(tmp_path):
    (tmp_path / "ods").mkdir()
    (tmp_path / "ods" / "visit.yml").write_text(
        """
table: ods.visit
name_cn: 走访
grain: one visit
description: A visit.
key: [visitor]
slice: none
retention_days: null
columns:
  - name: visitor
    type: string
    name_cn: 姓名
    personal: name
    example: 王小明
    description: Who.
""",
        encoding="utf-8",
    )
    found = contract.load(tmp_path)["ods.visit"]
    assert erasure.is_personal(found)
    with pytest.raises(
        ConfigError,
        match="ods.visit has personal columns but no column that identifies the customer: "
        "an erasure would miss its rows",
    ):
        erasure.condition(found, 62)


# -- how a row is told to be his ----------------------------------------------------------------


def test_numbers_and_subscribers_are_his_within_his_time(spark):
    """A recycled number, a subscriber who passed on, a key that begins like his."""

    def instant(day, *time, month=4):
        return datetime(2009, month, day, *time, tzinfo=ZoneInfo("Asia/Shanghai"))

    held = spark.createDataFrame(
        [
            ("C1", 11, None, None, None, None, None),
            (None, None, "S1", 21, None, None, None),
            (None, None, "S9", 29, None, instant(1), instant(15)),
            (None, None, None, None, "13800000001", instant(1), instant(15)),
        ],
        "customer_no string, customer_id bigint, subscriber_no string, subscriber_id bigint, "
        "msisdn string, since timestamp, until timestamp",
    )
    cases = {
        "ods.voice_call": (
            "msisdn string, occurred_at timestamp",
            [
                (("13800000001", instant(31, 23, 59, 59, month=3)), 0),
                (("13800000001", instant(1)), 1),
                (("13800000001", instant(14, 23, 59, 59)), 1),
                (("13800000001", instant(15)), 0),
                (("13800000002", instant(3)), 0),
            ],
        ),
        "ods.number_resource": (
            "msisdn string, month date",
            [
                (("13800000001", date(2009, 3, 1)), 0),
                (("13800000001", date(2009, 4, 1)), 1),
                (("13800000001", date(2009, 5, 1)), 0),
            ],
        ),
        "dw.usage_day": (
            "subscriber_id bigint, local_date date",
            [
                ((21, date(2001, 1, 1)), 1),
                ((29, date(2009, 4, 14)), 1),
                ((29, date(2009, 4, 15)), 0),
                ((22, date(2009, 4, 14)), 0),
            ],
        ),
        "dw.contact_event": (
            "customer_id bigint, subscriber_id bigint",
            [((11, 21), 1), ((11, None), 1), ((12, 21), 0), ((None, None), 0)],
        ),
        "ops.rejected_record": (
            "raw_line string, data_date date",
            [
                (("V1|1795113800000001|x", date(2009, 4, 3)), 1),
                (("V2|+86 138-0000-0001|x", date(2009, 4, 3)), 1),
                (("V3|１３８００００００\u200b０１|x", date(2009, 4, 3)), 1),
                (("V4|1.3800000001E+10|x", date(2009, 4, 3)), 1),
                (("V5|138-0000-0002|13800|000001", date(2009, 4, 3)), 0),
                (("13800000001", date(2009, 3, 20)), 0),
                (("13800000001", date(2009, 6, 1)), 1),
                (("13800000001", date(2009, 6, 20)), 0),
                (("C1|个人", date(2001, 1, 1)), 1),
                (('{"cust_id":"C1"}', date(2009, 4, 3)), 1),
                (("C12|个人", date(2009, 4, 3)), 0),
                (("XS1|1", date(2009, 4, 3)), 0),
                (("200904,S1,5", date(2009, 4, 3)), 1),
            ],
        ),
    }
    his = []
    for of, (columns, rows) in cases.items():
        frame = spark.createDataFrame(
            [(*row, f"{of} {row}") for row, _ in rows], columns + ", row string"
        ).coalesce(1)
        his.append(
            frame.alias("t")
            .join(held.alias("p"), F.expr(erasure.condition(CONTRACTS[of], 62)), "left_semi")
            .select("row")
        )
    found = {row.row for row in reduce(DataFrame.unionByName, his).collect()}
    assert found == {
        f"{of} {row}" for of, (_, rows) in cases.items() for row, is_his in rows if is_his
    }


# -- files from before ---------------------------------------------------------------------------


def test_a_table_is_swept_once_after_an_erasure():
    def history(*operations):
        return [
            Commit(n, operation, "erasure by r" if operation == "MERGE" else "")
            for n, operation in reversed(list(enumerate(operations)))
        ]

    assert not erase.unswept([])
    assert not erase.unswept(history("WRITE"))
    assert erase.unswept(history("WRITE", "MERGE"))
    assert erase.unswept(history("MERGE", "WRITE"))
    assert erase.unswept(history("VACUUM END", "MERGE", "VACUUM START"))
    assert not erase.unswept(history("MERGE", "VACUUM START", "VACUUM END", "WRITE"))


def test_no_table_is_put_back_to_what_it_was_before_an_erasure():
    after = [Commit(3, "MERGE", "erasure by e"), Commit(2, "WRITE", "b"), Commit(1, "WRITE", "a")]
    with pytest.raises(ChudianError, match="a customer was erased from ods.bill after run b"):
        undo.versions_before({"ods.bill": after}, "b")
    later = [Commit(4, "WRITE", "c"), *after]
    assert undo.versions_before({"ods.bill": later}, "c") == {"ods.bill": 3}


def test_what_was_only_too_old_is_no_hindrance_to_an_undo():
    commits = [Commit(3, "DELETE", "expiry by m"), Commit(2, "WRITE", "b"), Commit(1, "WRITE", "a")]
    assert undo.versions_before({"ods.bill": commits}, "b") == {"ods.bill": 1}


# -- one customer of the night -------------------------------------------------------------------


@pytest.fixture(scope="module")
def night(one_night, tmp_path_factory):
    """A copy of the night, and of it a customer who was pushed and whose number others had too."""
    folder = tmp_path_factory.mktemp("erased")
    shutil.copytree(one_night.warehouse, folder / "warehouse")
    shutil.copytree(one_night.push, folder / "push")
    made = Night(one_night.landing, one_night.truth, folder / "warehouse", folder / "push")
    ids = query(
        made.warehouse,
        f"""
        WITH now AS (FROM identity WHERE data_date = DATE '{LAST}'),
             shared AS (SELECT msisdn FROM now GROUP BY msisdn
                        HAVING count(DISTINCT customer_id) > 1)
        SELECT customer_id FROM pushed JOIN now USING (customer_id, subscriber_id)
        GROUP BY customer_id ORDER BY bool_or(now.msisdn IN (FROM shared)) DESC, customer_id""",
        identity="dw.subscriber_identity",
        pushed="push.sms",
    )
    customer = ids[0][0]
    (no,) = query(
        made.warehouse,
        f"SELECT DISTINCT customer_no FROM s WHERE customer_id = {customer}",
        s="dw.subscriber",
    )[0]
    numbers = {
        number
        for (number,) in query(
            made.warehouse,
            f"SELECT DISTINCT msisdn FROM i WHERE customer_id = {customer}",
            i="dw.subscriber_identity",
        )
    }
    options = [*OPTIONS, "--warehouse", str(made.warehouse), "--push", str(made.push)]
    assert handover.main(["--data-date", LAST, *options]) == 0
    return SimpleNamespace(
        made=made,
        id=customer,
        no=no,
        numbers=numbers,
        options=options,
        asked=["--customer-no", no, "--request", "R-17", *options],
        last_run=delta_log.entries(str(made.warehouse))[-1].run_id,
    )


def split(warehouse: Path, of: str, customer: int) -> tuple[list, list]:
    """The rows of others and of the customer, told apart in plain SQL, in order."""
    here = CONTRACTS[of].column_names
    if "customer_id" in here or "customer_no" in here:
        his = (
            "coalesce(customer_no IN (FROM nos), false)"
            if "customer_no" in here
            else f"coalesce(customer_id = {customer}, false)"
        )
    elif "subscriber_id" in here or "subscriber_no" in here:
        his = (
            "coalesce(subscriber_id IN (FROM sids), false)"
            if "subscriber_id" in here
            else "coalesce(subscriber_no IN (FROM snos), false)"
        )
    elif "msisdn" in here:
        time = "t.occurred_at" if "occurred_at" in here else "t.batch_date::TIMESTAMPTZ"
        last = time
        if "month" in here:  # of everybody who held the number in the month
            time, last = "t.month::TIMESTAMPTZ", "t.month + INTERVAL 1 MONTH - INTERVAL 1 SECOND"
        his = (
            f"EXISTS (FROM held h WHERE h.msisdn = t.msisdn AND ({last})::TIMESTAMPTZ >= "
            f"h.valid_from AND (h.valid_to IS NULL OR {time} < h.valid_to))"
        )
    else:
        his = "false"
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'Asia/Shanghai'")
        for name, is_of in (("t", of), ("s", "dw.subscriber"), ("i", "dw.subscriber_identity")):
            db.register(name, all_rows(warehouse, is_of))
        db.execute(f"""
            CREATE TABLE mine AS FROM s WHERE customer_id = {customer};
            CREATE TABLE nos AS SELECT DISTINCT customer_no FROM mine;
            CREATE TABLE sids AS SELECT DISTINCT subscriber_id FROM mine;
            CREATE TABLE snos AS SELECT DISTINCT subscriber_no FROM mine;
            CREATE TABLE held AS FROM i WHERE customer_id = {customer}
                AND data_date = (SELECT max(data_date) FROM i)""")
        rows = db.sql(f"SELECT {his} AS his, md5(t::VARCHAR) FROM t ORDER BY ALL").fetchall()
    return [row for is_his, row in rows if not is_his], [row for is_his, row in rows if is_his]


def test_a_customer_is_erased_everywhere_and_nobody_else(night, capsys):
    made, erased = night.made, {}
    names = [
        of
        for of, one in CONTRACTS.items()
        if erasure.is_personal(one)
        and of not in ("ops.erasure", "ops.rejected_record")
        and (made.warehouse / of.replace(".", "/")).is_dir()
    ]
    before = {of: split(made.warehouse, of, night.id) for of in names}
    lines = pushed_files(made.push)
    assert erase.main([*night.asked, "--dry-run"]) == 0
    would = capsys.readouterr().out
    assert {of: split(made.warehouse, of, night.id) for of in names} == before
    assert erase.main(night.asked) == 0
    said = capsys.readouterr()
    assert would.splitlines()[:-1] == [
        line
        for line in said.out.splitlines()[:-1]
        if line.split()[1] not in ("files", "deliveries")
    ]
    for line in said.out.splitlines()[:-1]:
        place, rows = line.rsplit(None, 2)[0].strip(), line.split()[-2]
        erased[place] = int(rows.replace(",", ""))
    for of, (others, his) in before.items():
        now = all_rows(made.warehouse, of)
        with duckdb.connect() as db:
            db.execute("SET TimeZone = 'Asia/Shanghai'")
            db.register("t", now)
            left = sorted(row for (row,) in db.sql("SELECT md5(t::VARCHAR) FROM t").fetchall())
        proof = his if of == "dw.consent" else []  # the proof of a consent outlives its customer
        assert left == sorted([*others, *proof]), of
        assert erased.get(of, 0) == len(his) - len(proof), of
    assert {
        "ods.voice_call",
        "ods.customer",
        "ods.subscriber",
        "dw.usage_month",
        "mart.decision",
        "push.sms",
        "sms files",
    } <= set(erased)
    record = all_rows(made.warehouse, "ops.erasure").to_pylist()
    assert {row["place"]: row["rows_erased"] for row in record} == erased
    assert {(row["request"], row["customer_id"]) for row in record} == {("R-17", night.id)}
    assert not any(word in said.out + said.err + would for word in {night.no, *night.numbers})
    after = pushed_files(made.push)
    handed = {name for name in lines if Path(name).name.startswith(("r1_", "r2_"))}
    gone = {name for name in set(lines) - set(after) if not name.endswith(".manifest.json")}
    assert gone == {name for name in handed if night.no.encode() in lines[name]}
    assert {Path(name).name for name in gone} >= {"r1_crm_20090503.json", "r2_sms_20090503.json"}
    assert erased["r1/r2 files"] == len(gone)
    assert set(lines) - set(after) <= handed
    for name, content in lines.items():
        if name in handed:
            continue
        if name.endswith(".manifest.json"):
            told = json.loads(after[name])
            gone = erased.get(f"{told['channel']} files", 0)
            assert told["rows"] == json.loads(content)["rows"] - gone
            assert told["bytes"] == len(after[name.removesuffix(".manifest.json")])
        else:
            stay = [
                line
                for line in content.splitlines(keepends=True)
                if not any(number.encode() in line for number in night.numbers)
            ]
            assert after[name] == b"".join(stay)


def test_no_byte_of_him_is_left_below_the_warehouse(night):
    """Neither in a file that a table consisted of before, nor in a table's log or a run's.

    The proof of consent stays under the keyed id.
    """
    words = {night.no, *night.numbers}
    for path in night.made.warehouse.rglob("*"):
        if path.suffix in (".json", ".log", ".html", ".crc"):
            text = path.read_bytes()
            assert not any(word.encode() in text for word in words), path
        elif path.suffix == ".parquet" and "_delta_log" not in path.parts:
            kept = parquet.ParquetFile(path)
            known = [name for name in ("customer_no", "customer_id") if name in kept.schema.names]
            rows = kept.read(columns=known).to_pydict() if known else {}
            if not {"erasure", "consent"} & set(path.parts):
                assert not {night.no, night.id} & {one for cells in rows.values() for one in cells}


def test_a_second_erasure_finds_nothing_and_a_stranger_is_refused(night, capsys):
    assert erase.main(night.asked) == 0
    assert capsys.readouterr().out == "nothing is left of this customer: erased by request R-17\n"
    assert erase.main(["--customer-no", "C-nobody", "--request", "R-18", *night.options]) == 2
    said = capsys.readouterr().err
    assert said == (
        "chudian: --customer-no: neither ods.customer nor ods.subscriber names this "
        "customer, and ops.erasure has no record of it\n"
    )
    assert erase.main(["--customer-no", "x", "--request", "for 13800000001", *night.options]) == 2
    assert "13800000001" not in capsys.readouterr().err


def test_the_night_before_an_erasure_is_not_undone(night, capsys):
    tables = ("ods.customer", "push.sms")
    versions = {of: table(night.made.warehouse, of).version() for of in tables}
    assert undo.main(["--run-id", night.last_run, *night.options]) == 1
    assert "a customer was erased from" in capsys.readouterr().err
    assert versions == {of: table(night.made.warehouse, of).version() for of in tables}
