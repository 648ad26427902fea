"""The files of nine channels as the step `push` writes them, read by readers of their own."""

import hashlib
import json

import pytest

from schemas.errors import ChudianError, ConfigError
from tests.given.push_step import DAY, PUSHED, PushStep
from tests.readers.channel_file_reader import read
from tests.readers.warehouse_reader import query

NAME = f"{DAY:%Y%m%d}"


@pytest.fixture(scope="module")
def step(spark, tmp_path_factory):
    made = PushStep(spark, tmp_path_factory.mktemp("nine"))
    made.run("first")
    return made


def cells(step, channel):
    """The rows of a channel's file by column."""
    push = step.conf.channels[channel].push
    return read(step.outbox / channel / str(DAY) / push.file_on(DAY), push)


@pytest.mark.parametrize("channel", PUSHED)
def test_a_file_holds_the_rows_of_its_table(step, channel):
    push = step.conf.channels[channel].push
    kept = query(
        step.warehouse,
        f"SELECT {', '.join(push.columns)} FROM t ORDER BY campaign_id, subscriber_id",
        t=f"push.{channel}",
    )
    found = cells(step, channel)
    assert len(found) == len(kept) == 2
    for row, table in zip(found, kept, strict=True):
        told = [str(value or "") if value is None else str(value) for value in row.values()]
        meant = ["" if value is None else str(value) for value in table]
        assert [one.removeprefix("'") for one in told] == meant


@pytest.mark.parametrize("channel", PUSHED)
def test_a_manifest_describes_its_file(step, channel):
    push = step.conf.channels[channel].push
    path = step.outbox / channel / str(DAY) / push.file_on(DAY)
    told = json.loads(path.with_name(f"{path.name}.manifest.json").read_text("utf-8"))
    body = path.read_bytes()
    assert (told["file"], told["channel"], told["rows"]) == (path.name, channel, 2)
    assert (told["bytes"], told["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_table_of_files_says_what_the_manifests_say(step):
    kept = query(
        step.warehouse,
        f"SELECT channel, file_name, rows, sha256 FROM t WHERE data_date = DATE '{DAY}'",
        t="mart.push_file",
    )
    told = [json.loads(path.read_text("utf-8")) for path in step.outbox.rglob("*.manifest.json")]
    assert sorted(kept) == sorted(
        (one["channel"], one["file"], one["rows"], one["sha256"]) for one in told
    )


def test_receipts_are_checked_against_the_files_and_alarms_are_counted(step):
    step.run("receipts", name="receipt_check")
    found = query(
        step.warehouse,
        "SELECT file_name, pushed, loaded, failed, missing, alarm FROM t ORDER BY file_name",
        t="mart.receipt_check",
    )
    assert found == [
        ("nobody.csv", 0, 1, 0, -1, "unknown_file"),
        ("sms_20090502.txt", 2, 1, 1, 0, None),
        ("web_20090502.tsv", 2, 1, 0, 1, "rows_missing"),
    ]
    checks = query(
        step.warehouse,
        "SELECT \"check\", observed, success FROM t WHERE run_id = 'receipts' ORDER BY ALL",
        t="ops.quality_result",
    )
    assert [row for row in checks if row[0] in ("unknown_file", "rows_missing", "no_receipt")] == [
        ("no_receipt", "0", True),
        ("rows_missing", "1", False),
        ("unknown_file", "1", False),
    ]


def test_the_clerk_of_a_contact_gets_the_credit_of_its_order(step):
    step.run("credits", name="clerk_credit")
    found = query(
        step.warehouse,
        "SELECT campaign_id, channel, employee, contacts, customers, orders FROM t",
        t="mart.clerk_credit",
    )
    assert found == [("hall_pilot", "hall", "Y1001", 1, 1, 1)]


def test_a_customer_manager_sees_whose_customer_it_is(step):
    first, second = cells(step, "customer_manager")
    assert (first["employee"], first["vip_level"], first["branch"]) == ("J1", "gold", "海淀分公司")
    assert (second["employee"], second["customer_name"]) == (None, None)
    assert first["customer_name"] == "=王小明"  # text of a cell, and no formula


def test_the_desk_sees_the_preferred_channel_and_the_best_wave(step):
    first, second = cells(step, "hotline_outbound")
    assert (first["preferred_channel"], second["preferred_channel"]) == ("hall", "")
    assert (first["wave"], first["best_wave"]) == ("1", "1")


def test_a_message_says_from_where_and_when_it_is_sent(step):
    for row in cells(step, "sms"):
        assert (row["sender"], row["parts"]) == ("10086", "1")
        assert (row["send_from"], row["send_to"]) == ("2009-05-04 10:00:00", "2009-05-04 20:00:00")


def test_a_rerun_gives_the_same_bytes(step):
    before = step.files()
    assert len(before) == 2 * len(PUSHED)
    step.run("second")
    assert step.files() == before


def test_staff_get_each_file_with_made_up_values(step):
    """Only in the file: the table holds customers."""
    conf = step.configured('hall: {push: {test_targets: ["13900000009"]}}\n')
    try:
        step.run("staff", conf)
        *customers, pilot, staff = cells(step, "hall")  # a row for each campaign of the hall
        assert (pilot["msisdn"], pilot["campaign_id"]) == ("13900000009", "hall_pilot")
        assert [row["msisdn"] for row in customers] == ["13800000001", "13800000002"]
        assert (staff["msisdn"], staff["cost_before"]) == ("13900000009", "100.00")
        assert staff["script"].startswith("根据您近三个月的使用情况,全球通58套餐每月约需87.54元")
        path = step.outbox / "hall" / str(DAY) / f"hall_{NAME}.csv.manifest.json"
        told = json.loads(path.read_text("utf-8"))
        assert (told["rows"], told["test_rows"]) == (4, 2)
        assert query(step.warehouse, "SELECT count(*) FROM t", t="push.hall") == [(2,)]
    finally:
        step.run("without")


def test_a_file_that_cannot_be_written_does_not_stop_the_others(step):
    """The channel gets no manifest; every refused channel is named with its row."""
    conf = step.configured(
        "sms: {push: {message: {part: 11, max_parts: 5}}}\n"
        "terminal: {push: {widths: {package_id: 5}}}\n"
    )
    for path in step.outbox.rglob("*.manifest.json"):
        path.unlink()
    try:
        with pytest.raises(ConfigError) as caught:
            step.run("refused", conf)
        sms, terminal = str(caught.value).splitlines()
        assert sms.startswith(
            "push.sms: row 1 of the file (campaign tariff_saving): the text of 58 characters takes "
            "6 parts of 11, the channel allows 5: "
        )
        assert terminal == (
            "push.terminal: row 1 of the file (campaign tariff_saving): package_id takes 9 bytes "
            "in gb18030, its width is 5: widen it in channels.yml"
        )
        found = {path.parts[-3] for path in step.outbox.rglob("*.manifest.json")}
        assert found == {*PUSHED} - {"sms", "terminal"}
    finally:
        step.run("again")


def test_a_failing_sink_leaves_its_file_and_the_next_run_delivers_it_once(step, tmp_path):
    blocked, there = tmp_path / "blocked", tmp_path / "there"
    blocked.write_text("no folder")
    sinks = "\n".join(
        f"{channel}: {{push: {{deliver_to: {{folder: {folder}}}}}}}"
        for channel, folder in (("sms", blocked), ("web", there), ("hall", there))
    )
    conf = step.configured(sinks + "\n")

    def told():
        return query(
            step.warehouse,
            "SELECT run_id, channel, state, rows, sequence FROM t ORDER BY told_at, channel",
            t="ops.delivery",
        )

    with pytest.raises(ChudianError) as caught:
        step.run("deliver 1", conf, "deliver")
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"sms: sms_{NAME}.txt is not delivered: {blocked}/sms_{NAME}.txt.man")
    assert line.endswith(f"run: python -m jobs.night --data-date {DAY} --only deliver")
    first = [("deliver 1", "hall", "delivered", 2, 1), ("deliver 1", "web", "delivered", 2, 1)]
    assert sorted(told()) == sorted([*first, ("deliver 1", "sms", "failed", 2, 1)])
    blocked.unlink()
    step.run("deliver 2", conf, "deliver")
    assert [row for row in told() if row[0] == "deliver 2"] == [
        ("deliver 2", "sms", "delivered", 2, 1)
    ]
    staged = step.files()[f"sms/{DAY}/sms_{NAME}.txt"]
    assert (blocked / f"sms_{NAME}.txt").read_bytes() == staged
    step.run("deliver 3", conf, "deliver")
    assert not [row for row in told() if row[0] == "deliver 3"]


def test_a_file_that_is_late_is_held_or_dropped_and_the_ledger_says_so(step, tmp_path):
    """The night is years ago, so its files are late whenever the test runs."""
    sinks = "\n".join(
        f"{channel}: {{push: {{deliver_to: {{folder: {tmp_path / 'there'}, "
        f'late: {{after: "09:00", then: {then}}}}}}}}}'
        for channel, then in (
            ("email", "drop"),
            ("customer_manager", "next_day"),
            ("wap", "deliver"),
        )
    )
    conf = step.configured(sinks + "\n")
    for run_id in ("late 1", "late 2", "late 3"):
        step.run(run_id, conf, "deliver")
    found = query(
        step.warehouse,
        "SELECT run_id, channel, state FROM t WHERE run_id LIKE 'late%' ORDER BY ALL",
        t="ops.delivery",
    )
    assert found == [
        ("late 1", "customer_manager", "held"),
        ("late 1", "email", "dropped"),
        ("late 1", "wap", "delivered"),
        ("late 2", "customer_manager", "dropped"),  # its next day is over, too
    ]
    there = sorted(path.name for path in (tmp_path / "there").iterdir())
    assert there == [f"wap_{NAME}.jsonl", f"wap_{NAME}.jsonl.manifest.json"]
