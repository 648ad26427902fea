"""`jobs.handover` writes R1 and R2 whole and equal, or says in one line why not."""

import hashlib
import json
import stat
from datetime import UTC, date, datetime
from decimal import Decimal

import jsonschema
import pytest

from jobs import handover
from jobs.outbox import handover as files
from jobs.outbox.folder import Outbox
from schemas.document import interface
from schemas.render.spark import example_row
from tests.given.paths import CONF
from tests.given.rows import CONTRACTS, named
from tests.given.stored_tables import appended, committed, made

DAY = date(2009, 5, 3)
SHIPPED = [one.name for one in CONTRACTS.values() if one.layer == "push"]


def rows_of(table, columns, *values):
    example = example_row(CONTRACTS[table])
    return [{**example, **row} for row in named(columns, *values)]


def pushed(channel, *values):
    columns = "data_date campaign_id customer_id subscriber_id msisdn package_id saving"
    return rows_of(f"push.{channel}", columns, *((DAY, *one) for one in values))


@pytest.fixture
def warehouse(tmp_path):
    folder = tmp_path / "warehouse"
    given = {
        "dw.subscriber": rows_of(
            "dw.subscriber",
            "data_date customer_id customer_no subscriber_id subscriber_no",
            *((DAY, who, f"C{who}", who + 1000, f"S{who}") for who in (1, 2)),
        ),
        "mart.channel_preference": rows_of(
            "mart.channel_preference", "data_date customer_id channel rank", (DAY, 1, "sms", 1)
        ),
        "dw.contact_view": rows_of(
            "dw.contact_view",
            "data_date customer_id channel last_contact_at",
            (DAY, 1, "sms", datetime(2009, 5, 1, tzinfo=UTC)),
        ),
        "ops.campaign_log": [],
        **{f"push.{name}": [] for name in SHIPPED},
        "push.sms": pushed(
            "sms",
            ("tariff_saving", 1, 1001, "13900000001", "gprs_5", Decimal("8.50")),
            ("tariff_saving", 2, 1002, "13900000002", "gprs_5", Decimal("3.20")),
        ),
    }
    for table, rows in given.items():
        made(folder, CONTRACTS[table], rows)
    committed(folder, *((table, None, str(DAY)) for table in given if not table.startswith("ops.")))
    return folder


@pytest.fixture
def said(warehouse, tmp_path, capsys):
    def run(day=str(DAY), *options):
        place = ["--warehouse", str(warehouse), "--push", str(tmp_path / "push")]
        code = handover.main(["--data-date", day, *place, "--conf", str(CONF), *options])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def written(push):
    return {
        str(one.relative_to(push)): one.read_bytes() for one in push.rglob("*") if one.is_file()
    }


def test_each_file_keeps_its_schema_and_its_manifest_and_is_equal_on_rerun(said, tmp_path):
    """The schemas are read as a receiver would read them, and the manifest is checked by hand."""
    code, out, err = said()
    assert (code, err) == (0, "")
    assert "r1_crm_20090503.json: 2 targets" in out
    before = written(tmp_path / "push")
    assert len(before) == 2 * (1 + len(SHIPPED))
    for name in SHIPPED:
        content = json.loads(before[f"{name}/{DAY}/r2_{name}_20090503.json"])
        jsonschema.validate(content, json.loads(interface.schema_text("r2")))
        assert len(content["results"]) == (2 if name == "sms" else 0)
    r1 = before[f"crm/{DAY}/r1_crm_20090503.json"]
    jsonschema.validate(json.loads(r1), json.loads(interface.schema_text("r1")))
    manifest = json.loads(before[f"crm/{DAY}/r1_crm_20090503.json.manifest.json"])
    assert (manifest["rows"], manifest["bytes"]) == (2, len(r1))
    assert manifest["sha256"] == hashlib.sha256(r1).hexdigest()
    assert not any(b"1390000" in content for content in before.values())
    modes = {stat.S_IMODE(one.stat().st_mode) for one in (tmp_path / "push").rglob("*.json")}
    assert modes == {0o600}
    assert said()[0] == 0
    assert written(tmp_path / "push") == before


def test_a_night_that_was_not_pushed_is_one_line(said, tmp_path):
    code, out, err = said("2009-05-04")
    assert (code, out) == (4, "")
    assert "is not committed for 2009-05-04" in err
    assert not (tmp_path / "push").exists()


def test_a_target_that_the_crm_cannot_execute_stops_it(said, warehouse, tmp_path):
    more = pushed("sms", ("tariff_saving", 3, 1003, "13900000003", "gprs_5", None))
    appended(warehouse, CONTRACTS["push.sms"], more, "")
    code, _, err = said()
    assert code == 3
    assert "1 pushed subscribers of 2009-05-03 have no number at the CRM" in err
    assert not (tmp_path / "push").exists()


def test_a_pushed_campaign_that_does_not_run_stops_it(said, tmp_path):
    over = tmp_path / "over" / "campaigns"
    over.mkdir(parents=True)
    (over / "tariff_saving.yml").write_text(
        "valid: {from: 2009-06-01, to: 2009-08-01}\n", encoding="utf-8"
    )
    code, _, err = said(str(DAY), "--conf", str(over.parent))
    assert code == 3
    assert "tariff_saving pushed on 2009-05-03 and may not run on it" in err
    assert err.count("\n") == 1


def test_what_was_handed_over_can_be_withdrawn(said, tmp_path):
    said()
    push = Outbox(tmp_path / "push")
    assert files.withdraw(push, "sms", DAY) == ["r1_crm_20090503.json", "r2_sms_20090503.json"]
    left = written(tmp_path / "push")
    assert not {name for name in left if "/r1_" in name or "r2_sms" in name}
    assert len(left) == 2 * (len(SHIPPED) - 1)
    assert files.withdraw(push, "sms", DAY) == []
