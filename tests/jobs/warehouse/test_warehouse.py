"""The border of the tables: what a step may touch, what is committed, and what the ledger says."""

from datetime import date

import pytest
from pyspark.sql import functions as F

from jobs.warehouse.tables import Tables
from jobs.warehouse.warehouse import Ingested
from schemas.errors import ChudianError, InputError, QualityError
from schemas.window import Window
from tests.given.warehouse_steps import (
    APRIL,
    CONTACT,
    CUSTOMER,
    FIRST,
    MEASURE,
    MONTH,
    REJECTED,
    SECOND,
    SUBSCRIPTION,
    TABLES,
    THIRD,
    event,
    files,
    rows_of,
    snapshot,
    step,
    version,
    write,
)
from tests.readers.warehouse_reader import all_rows
from tests.readers.warehouse_reader import table as delta_table

# -- what a step may touch -----------------------------------------------------------------------


def test_a_table_that_the_step_does_not_declare_is_neither_read_nor_written(wh, root, frame):
    before = version(root, SUBSCRIPTION)
    with wh.step(step(reads=[CUSTOMER]), Window(THIRD, THIRD)):
        for use, act in (
            ("reads", lambda: wh.read(SUBSCRIPTION)),
            ("reads", lambda: wh.last_snapshot(SUBSCRIPTION, THIRD)),
            ("reads", lambda: wh.read(MONTH, months=[APRIL])),
            ("writes", lambda: wh.replace(SUBSCRIPTION, frame(SUBSCRIPTION, {}))),
            ("writes", lambda: wh.append(MEASURE, frame(MEASURE, {}))),
        ):
            with pytest.raises(
                ChudianError,
                match=f"^demo {use} dw.* which the plan does not declare: "
                "add it to the step in jobs/plan$",
            ):
                act()
    assert version(root, SUBSCRIPTION) == before


def test_tables_are_touched_inside_a_step_only(wh, frame):
    for act in (lambda: wh.read(SUBSCRIPTION), lambda: wh.replace(MONTH, frame(MONTH, {}))):
        with pytest.raises(ChudianError, match="inside a step of the plan"):
            act()


NEVER = [date(2010, 5, day) for day in (1, 2, 3)]


@pytest.mark.parametrize(
    ("table", "how", "said"),
    [
        (CUSTOMER, {}, "ods.customer from customer is not committed for 2010-05-03"),
        (
            CUSTOMER,
            {"upto": NEVER[2]},
            "ods.customer from customer is not committed for 2010-05-03",
        ),
        (
            CUSTOMER,
            {"window": Window(NEVER[0], NEVER[2])},
            "ods.customer from customer is not committed for 2010-05-01",
        ),
        (SUBSCRIPTION, {"on": NEVER[1]}, "dw.subscription is not committed for 2010-05-02"),
        (SUBSCRIPTION, {}, "dw.subscription is not committed for 2010-05-03"),
        (
            CONTACT,
            {"window": Window(NEVER[0], NEVER[1])},
            "dw.contact_event is not committed for 2010-05-01",
        ),
        (
            MONTH,
            {"months": [date(2010, 3, 1), date(2010, 4, 1)]},
            "dw.usage_month is not committed for 2010-03-01",
        ),
    ],
    ids=[
        "a delivery",
        "deliveries up to a day",
        "deliveries of days",
        "a snapshot",
        "today's snapshot",
        "days of an event table",
        "months",
    ],
)
def test_a_step_whose_input_is_not_committed_stops_and_names_it(wh, table, how, said):
    with (
        pytest.raises(InputError) as raised,
        wh.step(step(reads=TABLES), Window(NEVER[2], NEVER[2])),
    ):
        wh.read(table, **how)
    assert str(raised.value) == (
        f"demo: {said}: run the step that writes it first (python -m jobs.night --list shows which)"
    )


# -- what does not fit ---------------------------------------------------------------------------


def renamed(rows):
    return rows.withColumnRenamed("kind", "sort").drop("valid_to")


def unreadable(rows):
    return rows.selectExpr(
        "* except (subscriber_id)", "concat(subscriber_id, '-13800000001') AS subscriber_id"
    )


WRONG = [
    (
        "unknown and missing columns",
        SUBSCRIPTION,
        renamed,
        [{}],
        ChudianError,
        "dw.subscription: the step demo does not fill kind, valid_to of the contract and fills "
        "sort, not in the contract: correct the step or the contract",
    ),
    (
        "a value that does not fit its type",
        SUBSCRIPTION,
        unreadable,
        [{}],
        QualityError,
        "dw.subscription 2009-05-03: a value does not fit the type of its column "
        "(CAST_INVALID_INPUT)",
    ),
    (
        "a snapshot of another day",
        SUBSCRIPTION,
        None,
        [{"data_date": SECOND}],
        ChudianError,
        "dw.subscription: rows of 2009-05-02 in a run that replaces 2009-05-03",
    ),
    (
        "an event of another delivery",
        CONTACT,
        None,
        [event(SECOND, 1)],
        ChudianError,
        "dw.contact_event: rows of 2009-05-02 in a run that replaces 2009-05-03",
    ),
    (
        "a month that is not closed",
        MONTH,
        None,
        [{"month": date(2009, 5, 1)}],
        ChudianError,
        "dw.usage_month: rows of 2009-05-01 in a run that replaces 2009-02-01, 2009-03-01, "
        "2009-04-01",
    ),
    (
        "a key twice",
        CONTACT,
        None,
        [event(THIRD, 1), event(THIRD, 1), event(THIRD, 2)],
        QualityError,
        "dw.contact_event 2009-05-03: key_duplicates: 1, expected 0",
    ),
    (
        "out of range",
        CONTACT,
        None,
        [event(THIRD, 1, duration_s=-77001), event(THIRD, 2, duration_s=-1)],
        QualityError,
        "dw.contact_event 2009-05-03: duration_s: expected at least 0 seconds (2 rows)",
    ),
    (
        "missing, and too long",
        CONTACT,
        None,
        [event(THIRD, 1, direction=None, source_record="13800000001" * 20)],
        QualityError,
        "dw.contact_event 2009-05-03: direction: expected a value (1 rows); source_record: "
        "expected at most 128 characters (1 rows)",
    ),
    (
        "no first day of a month",
        MONTH,
        None,
        [{"month": date(2009, 4, 2)}],
        QualityError,
        "dw.usage_month 2009-05-03: month: expected the first day of a month (1 rows)",
    ),
]


@pytest.fixture(scope="module")
def refusals(opened, frame, root):
    """What each wrong frame is refused with, all tried in one step; the versions before, after."""
    wh, found = opened(run_id="refusals"), {}
    before = [version(root, table) for table in (SUBSCRIPTION, CONTACT, MONTH)]
    with wh.step(step(writes=[SUBSCRIPTION, CONTACT, MONTH]), Window(THIRD, THIRD)):
        for case, table, change, rows, error, _ in WRONG:
            rows = frame(table, *rows)
            with pytest.raises(error) as raised:
                wh.replace(table, change(rows) if change else rows)
            found[case] = str(raised.value)
    wh.close()
    found["versions"] = before, [version(root, table) for table in (SUBSCRIPTION, CONTACT, MONTH)]
    return found


@pytest.mark.parametrize(
    ("case", "said"), [(one[0], one[-1]) for one in WRONG], ids=[one[0] for one in WRONG]
)
def test_rows_that_do_not_fit_are_refused_in_one_line_without_their_values(refusals, case, said):
    assert refusals[case] == said
    before, after = refusals["versions"]
    assert before == after


def test_every_judgement_is_kept(refusals, root):
    found = all_rows(root, "ops.quality_result").to_pylist()
    kept = [
        (row["table"], row["severity"], row["success"], row["observed"], row["expected"])
        for row in found
        if row["run_id"] == "refusals" and row["check"] == "key_duplicates"
    ]
    assert kept.count((CONTACT, "critical", False, "1", "0")) == 1
    assert kept.count((CONTACT, "critical", True, "0", "0")) == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"duration_s": -77001}, "duration_s_range"),
        ({"direction": None, "source_record": "13800000001"}, "direction"),
    ],
    ids=["CHECK", "NOT NULL"],
)
def test_the_last_lock_names_the_rule_and_no_value(wh, frame, root, changes, said):
    before = version(root, CONTACT)
    with pytest.raises(QualityError) as raised:
        wh.tables.save(
            CONTACT, frame(CONTACT, event(THIRD, 1, **changes)), f"batch_date = '{THIRD}'"
        )
    assert str(raised.value) == (
        f"dw.contact_event: a row breaks the contract ({said}); nothing was written"
    )
    assert version(root, CONTACT) == before


# -- slices --------------------------------------------------------------------------------------


def test_a_snapshot_is_replaced_and_the_others_stay_as_they_are(wh, frame, root):
    def snapshots():
        return rows_of(root, SUBSCRIPTION, "data_date", "subscriber_id")

    first = frame(SUBSCRIPTION, *snapshot(FIRST, 1, 2))
    other_order = first.select(*reversed(first.columns)).withColumn(
        "subscriber_id", first["subscriber_id"].cast("string")
    )
    assert write(wh, SUBSCRIPTION, other_order, FIRST) == 2
    untouched = files(root, SUBSCRIPTION, FIRST)
    write(wh, SUBSCRIPTION, frame(SUBSCRIPTION, *snapshot(SECOND, 3)), SECOND)
    for _ in range(2):  # the same again gives an equal table
        write(wh, SUBSCRIPTION, frame(SUBSCRIPTION, *snapshot(SECOND, 4, 5)), SECOND)
        assert snapshots() == [(FIRST, 1), (FIRST, 2), (SECOND, 4), (SECOND, 5)]
    assert files(root, SUBSCRIPTION, FIRST) == untouched
    write(wh, SUBSCRIPTION, wh.empty(SUBSCRIPTION), SECOND)  # an empty frame clears the slice
    assert snapshots() == [(FIRST, 1), (FIRST, 2)]
    with wh.step(step(reads=[SUBSCRIPTION]), Window(THIRD, THIRD)):
        assert wh.last_snapshot(SUBSCRIPTION, THIRD) == SECOND
        assert wh.read(SUBSCRIPTION, on=FIRST).count() == 2
        assert wh.read(SUBSCRIPTION, on=SECOND).count() == 0  # committed, and empty
        with pytest.raises(InputError, match="dw.subscription is not committed for 2009-05-03"):
            wh.read(SUBSCRIPTION, on=THIRD)


def test_no_rows_for_a_slice_that_held_none_are_only_recorded(wh, frame, root):
    day = date(2009, 5, 9)
    before = version(root, SUBSCRIPTION)
    assert write(wh, SUBSCRIPTION, None, day) == 0
    assert version(root, SUBSCRIPTION) == before
    assert wh.ledger.is_committed(SUBSCRIPTION, day)
    write(wh, SUBSCRIPTION, frame(SUBSCRIPTION, *snapshot(day, 7)), day)
    write(wh, SUBSCRIPTION, None, day)  # it held a row: that goes
    assert day not in [one for (one,) in rows_of(root, SUBSCRIPTION, "data_date")]


def test_a_range_replaces_its_days_and_no_other(wh, frame, root):
    write(
        wh,
        CONTACT,
        frame(CONTACT, event(FIRST, 1), event(SECOND, 2), event(THIRD, 3)),
        FIRST,
        THIRD,
    )
    untouched = files(root, CONTACT, FIRST)
    write(wh, CONTACT, frame(CONTACT, event(THIRD, 5)), SECOND, THIRD)
    assert rows_of(root, CONTACT, "batch_date", "contact_id") == [(FIRST, 1), (THIRD, 5)]
    assert files(root, CONTACT, FIRST) == untouched


def test_months_are_replaced_as_the_policy_closes_them(wh, frame, root):
    """On the third the last three months are closed: February to April; on the second, to March."""
    months = [date(2009, month, 1) for month in (1, 2, 3, 4)]
    write(
        wh, MONTH, frame(MONTH, *[{"month": one, "subscriber_id": 1} for one in months[:3]]), SECOND
    )
    write(
        wh, MONTH, frame(MONTH, *[{"month": one, "subscriber_id": 2} for one in months[2:]]), THIRD
    )
    assert rows_of(root, MONTH, "month", "subscriber_id") == [
        (months[0], 1),
        (months[2], 2),
        (months[3], 2),
    ]


def delivered(number, source="customer", day=THIRD):
    return {"source": source, "batch_date": day, "customer_no": f"C{number}"}


def refused(number, source="customer", day=THIRD):
    return {
        "source": source,
        "data_date": day,
        "file_name": "f",
        "row_no": number,
        "raw_line": f"line {number}",
        "reasons": ["broken"],
    }


def take_in(wh, frame, accepted, rejected, source="customer", day=THIRD):
    counts = {
        str(day): {
            "rows_delivered": len(accepted) + len(rejected),
            "rows_accepted": len(accepted),
            "rows_rejected": len(rejected),
            "rows_duplicate": 0,
            "rows_late": 0,
        }
    }
    with wh.step(step(writes=[CUSTOMER], source=source), Window(day, day)):
        taken = Ingested(CUSTOMER, frame(CUSTOMER, *accepted), counts, [])
        wh.ingest(source, [taken], frame(REJECTED, *rejected))


def customers_of_the_third(root):
    rows = rows_of(root, CUSTOMER, "batch_date", "source", "customer_no")
    return [number for *slice_, number in rows if slice_ == [THIRD, "customer"]]


def test_a_delivery_replaces_what_its_own_source_delivered_that_day(wh, frame, root):
    """Subscriber's deliveries stand for a second source of the same table."""
    take_in(wh, frame, [delivered(1), delivered(2)], [refused(3), refused(4)])
    take_in(wh, frame, [delivered(5, "subscriber")], [refused(6, "subscriber")], "subscriber")
    take_in(wh, frame, [delivered(1, day=SECOND)], [refused(1, day=SECOND)], day=SECOND)
    take_in(wh, frame, [delivered(7)], [refused(8)])
    assert rows_of(root, CUSTOMER, "batch_date", "source", "customer_no") == [
        (SECOND, "customer", "C1"),
        (THIRD, "customer", "C7"),
        (THIRD, "subscriber", "C5"),
    ]
    assert rows_of(root, REJECTED, "data_date", "source", "row_no") == [
        (SECOND, "customer", 1),
        (THIRD, "customer", 8),
        (THIRD, "subscriber", 6),
    ]
    take_in(wh, frame, [delivered(7), delivered(8)], [])  # mended: nothing is rejected any more
    assert rows_of(root, REJECTED, "data_date", "source", "row_no") == [
        (SECOND, "customer", 1),
        (THIRD, "subscriber", 6),
    ]
    before = version(root, REJECTED)
    take_in(wh, frame, [delivered(7)], [])
    assert version(root, REJECTED) == before  # nothing to keep, nothing to clear: no commit


def test_a_delivery_that_fails_between_its_two_tables_leaves_what_stood_stale(opened, frame, root):
    """New rows are there without their rejected lines, so the day is taken in once more."""
    wh = opened("fails midway")
    take_in(wh, frame, [delivered(7)], [refused(8)])
    spoiled = frame(REJECTED, refused(9)).withColumn(
        "raw_line", F.raise_error(F.lit("the disk is full"))
    )
    counts = {
        str(THIRD): {
            "rows_delivered": 2,
            "rows_accepted": 1,
            "rows_rejected": 1,
            "rows_duplicate": 0,
            "rows_late": 0,
        }
    }
    taken = Ingested(CUSTOMER, frame(CUSTOMER, delivered(9)), counts, [])
    with (
        pytest.raises(Exception, match="the disk is full"),
        wh.step(step(writes=[CUSTOMER], source="customer"), Window(THIRD, THIRD)),
    ):
        wh.ingest("customer", [taken], spoiled)
    later = opened("after it").ledger
    assert later.stale[CUSTOMER, "customer"] == {str(THIRD): "the run fails midway failed midway"}
    assert later.entry(CUSTOMER, THIRD, "customer").rows_accepted == 1
    assert not later.stale.get((CUSTOMER, "subscriber"))


def test_a_delivery_that_fails_right_after_its_rows_are_there_leaves_what_stood_stale(
    opened, frame, root, monkeypatch
):
    wh = opened("fails late")
    take_in(wh, frame, [delivered(7)], [])
    save = wh.tables.save

    def interrupted(name, *args):
        save(name, *args)
        if name == CUSTOMER:
            raise KeyboardInterrupt

    monkeypatch.setattr(wh.tables, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        take_in(wh, frame, [delivered(8)], [])
    monkeypatch.undo()
    assert customers_of_the_third(root) == ["C8"]
    assert opened("after it").ledger.stale[CUSTOMER, "customer"] == {
        str(THIRD): "the run fails late failed midway"
    }


def test_a_delivery_that_fails_before_its_rows_are_there_leaves_what_stood_as_it_was(
    opened, frame, root
):
    wh = opened("fails early")
    take_in(wh, frame, [delivered(7)], [])
    spoiled = frame(CUSTOMER, delivered(8)).withColumn(
        "customer_no", F.raise_error(F.lit("the disk is full"))
    )
    counts = {
        str(THIRD): {
            "rows_delivered": 1,
            "rows_accepted": 1,
            "rows_rejected": 0,
            "rows_duplicate": 0,
            "rows_late": 0,
        }
    }
    with (
        pytest.raises(Exception, match="the disk is full"),
        wh.step(step(writes=[CUSTOMER], source="customer"), Window(THIRD, THIRD)),
    ):
        wh.ingest("customer", [Ingested(CUSTOMER, spoiled, counts, [])], frame(REJECTED))
    assert customers_of_the_third(root) == ["C7"]
    assert not opened("after it").ledger.stale.get((CUSTOMER, "customer"))


# -- registers -----------------------------------------------------------------------------------


def test_a_register_is_only_added_to_and_no_key_comes_twice(wh, frame, root):
    one = {"service": "voice", "measure_no": 1, "definition": "minutes"}
    two = {**one, "measure_no": 2, "definition": "seconds"}
    with wh.step(step(writes=[MEASURE, MONTH]), Window(THIRD, THIRD)):
        assert wh.append(MEASURE, frame(MEASURE, one)) == 1
        before = version(root, MEASURE)
        for rows in ((one,), (two, two), ({**one, "definition": "hours"},)):
            with pytest.raises(
                QualityError, match="^dw.rating_measure 2009-05-03: key_duplicates: 1, expected 0$"
            ):
                wh.append(MEASURE, frame(MEASURE, *rows))
        assert wh.append(MEASURE, wh.empty(MEASURE)) == 0
        assert version(root, MEASURE) == before
        assert wh.append(MEASURE, frame(MEASURE, two)) == 1
        assert rows_of(root, MEASURE, "measure_no", "definition") == [
            (1, "minutes"),
            (2, "seconds"),
        ]
        with pytest.raises(ChudianError, match="dw.rating_measure is only appended to"):
            wh.replace(MEASURE, frame(MEASURE, {}))
        with pytest.raises(ChudianError, match="dw.usage_month is written by slices"):
            wh.append(MONTH, frame(MONTH, {}))


# -- other readers -------------------------------------------------------------------------------


def test_delta_rs_opens_every_table_at_reader_version_1(wh, root, contracts):
    for table in (*TABLES, "ops.run_ledger", "ops.quality_result", REJECTED):
        found = delta_table(root, table)
        assert found.protocol().min_reader_version == 1, table
        assert not found.protocol().reader_features, table
        assert found.to_pyarrow_table().schema.names == list(contracts[table].column_names)


def test_a_table_that_cannot_be_made(wh, spark, contracts, tmp_path):
    (tmp_path / "dw").write_text("in the way", encoding="utf-8")
    with pytest.raises(ChudianError) as raised:
        Tables(spark, str(tmp_path), contracts).prepare([SUBSCRIPTION])
    assert str(raised.value) == (
        f"the table dw.subscription cannot be created below {tmp_path}: "
        "check the folder and its rights, or give another --warehouse"
    )


def test_records_become_rows_of_their_table(wh):
    class Record:
        service, measure_no, definition = "data", 1, "kilobytes"

    (row,) = wh.rows(MEASURE, [Record]).collect()
    assert row.asDict() == {"service": "data", "measure_no": 1, "definition": "kilobytes"}
