"""Approvals over a warehouse: the command without Java, and a night that lets only approved run."""

import hashlib
import shutil
from decimal import Decimal

import pytest
from deltalake import DeltaTable

from jobs import campaign
from jobs.runtime import session
from models.contact_policy.hold_out import bound
from schemas import config
from tests.given.paths import CONF
from tests.given.tiny_nights import TinyNights
from tests.given.tiny_province import DAYS, overlay
from tests.nights.own.test_targets import CAMPAIGN, PEOPLE, TARGET
from tests.readers.warehouse_reader import query

FIRST, DAY = DAYS
CHANGED = CAMPAIGN.replace("{package_name}", "{package_name} {saving}")


@pytest.fixture(scope="module")
def night(spark, tmp_path_factory):
    """A night under required approvals: the first one, which makes the log."""
    folder, shipped = tmp_path_factory.mktemp("approvals"), config.load([CONF])
    own = overlay(folder / "conf", shipped.sources)
    (own / "policy.yml").write_text("campaigns: {approval: required}\n", encoding="utf-8")
    for part, name, text in (("campaigns", "welcome", CAMPAIGN), ("targets", "long_held", TARGET)):
        (own / part).mkdir()
        (own / part / f"{name}.yml").write_text(text, encoding="utf-8")
    made = TinyNights(folder, shipped.sources, own)
    made.landing.write_all()
    assert made.run(f"{PEOPLE},consent,target", FIRST, DAY) == 0
    return made


@pytest.fixture
def said(night, capsys, monkeypatch):
    """What the command says, by exit code; Spark must not start."""
    monkeypatch.setattr(session, "_started", lambda *_, **__: pytest.fail("Spark was started"))

    def run(*asked, code=0):
        assert campaign.main([*asked, *night.where()]) == code
        told = capsys.readouterr()
        return (told.out if code == 0 else told.err).splitlines()

    return run


def targets(night):
    return query(night.warehouse, "SELECT DISTINCT campaign_id FROM t", t="mart.target")


def test_only_a_campaign_with_all_approvals_reaches_anybody(night, said, monkeypatch, capsys):
    assert targets(night) == []
    assert said("show", "welcome") == ["welcome 老客户关怀: planned"]
    refused = said("approve", "welcome", "--as", "market", "--by", "Wang", code=2)
    assert refused == ["chudian: campaign welcome: its file is new or has changed: submit it first"]
    said("submit", "welcome", "--by", "Li Wei")
    for role in ("business", "market", "service"):
        (*_, last) = said("approve", "welcome", "--as", role, "--by", f"{role}'s head")
    assert last.endswith("v1  approved as service, by service's head")
    shown = said("start", "welcome", "--by", "Li Wei")
    assert shown[0] == "welcome 老客户关怀: running, version 1"
    assert shown[-1].endswith("v1  running from 2009-05-03 on, by Li Wei")
    assert len(shown) == 6
    history = DeltaTable(str(night.warehouse / "ops" / "campaign_log")).history()
    assert [one["operation"] for one in history].count("WRITE") == 5
    monkeypatch.undo()
    assert night.run("target", DAY) == 0
    assert targets(night) == [("welcome",)]
    file = night.overlays[0] / "campaigns" / "welcome.yml"
    try:
        file.write_text(CHANGED, encoding="utf-8")
        assert night.run("target", DAY) == 0
        assert targets(night) == []
        capsys.readouterr()
        (line,) = said("show", "welcome")[:1]
        assert line.endswith("planned; its file has changed since version 1: submit it")
    finally:
        file.write_text(CAMPAIGN, encoding="utf-8")


def test_what_the_command_line_lacks_is_told_in_one_line(night, said):
    for asked, message in (
        (["submit", "welcom", "--by", "Li"], "unknown campaign 'welcom', did you mean 'welcome'?"),
        (["submit", "welcome"], "submit: say who does it, in 1 to 64 characters: --by NAME"),
        (
            ["approve", "welcome", "--by", "Li"],
            "approve: say as whom: --as business|market|service",
        ),
        (["submit", "welcome", "--by", "Li", "--as", "market"], "submit: leave --as out"),
        (
            ["end", "welcome", "--by", "Li"],
            "end: say from which data date it reaches nobody: --since 2009-06-01",
        ),
        (
            ["start", "welcome", "--by", "Li", "--since", "2009-06-01"],
            "--since: expected a day of the campaign, from 2009-05-03 and before 2009-06-01; got "
            "2009-06-01",
        ),
        (
            ["submit", "welcome", "--by", "Li", "--since", "2009-05-03"],
            "submit: leave --since out: it is for start and end",
        ),
    ):
        assert said(*asked, code=2) == [f"chudian: {message}"]


def test_a_log_that_was_written_by_other_means_stops_the_command_and_the_night(
    night, said, tmp_path, capsys, monkeypatch
):
    """Somebody removes an approval and puts the table back in place."""
    said("submit", "tariff_saving", "--by", "Li")
    said("approve", "tariff_saving", "--by", "Li", "--as", "market")
    place = night.warehouse / "ops" / "campaign_log"
    shutil.copytree(place, tmp_path / "before")
    try:
        DeltaTable(str(place)).delete("state = 'submitted' AND campaign_id = 'tariff_saving'")
        (message,) = said("show", code=3)
        assert "it is missing or stands twice; no campaign runs on a log" in message
        monkeypatch.undo()
        assert night.run("target", DAY) == 3
        assert "ops.campaign_log: entry" in capsys.readouterr().err
    finally:
        shutil.rmtree(place)
        shutil.copytree(tmp_path / "before", place)


def test_a_dry_run_says_whom_a_campaign_may_contact_and_what_a_night_costs(night, capsys):
    """All six customers agreed to offers; an SMS costs 0.10 yuan and one in a hundred orders."""
    ids = [row[0] for row in query(night.warehouse, "SELECT customer_id FROM t", t="dw.subscriber")]
    limit = bound(Decimal("0.02"))
    held = sum(
        int(hashlib.sha256(f"universal-2009q2|{one}".encode()).hexdigest()[:15], 16) < limit
        for one in set(ids)
    )
    treated = 6 - held
    capsys.readouterr()
    asked = ["welcome", "--dry-run", "--data-date", str(DAY)]
    assert campaign.main([*asked, *night.where()]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "welcome 老客户关怀: reaches 6 customers; no other campaign is looked at",
        f"  may be contacted  6: {treated} treated, 0 control, {held} held out of all",
        f"  a night           {treated} contacts, 0.{treated}0 yuan, 0.1 orders expected",
        f"  sms               {treated} contacts of 400",
        "  power             0% to see a rise from 0.00% to 1.00%; no rise can be seen",
    ]


def test_a_dry_run_names_one_campaign_and_a_day(said):
    for asked, message in (
        (["welcome", "--dry-run"], "give --dry-run and --data-date together, or neither"),
        (
            ["submit", "welcome", "--dry-run", "--data-date", str(DAY)],
            "--dry-run: name one campaign, without an action",
        ),
        (
            ["welcom", "--dry-run", "--data-date", str(DAY)],
            "unknown campaign 'welcom', did you mean 'welcome'?",
        ),
        (["sumbit", "welcome"], "unknown action 'sumbit', did you mean 'submit'?"),
    ):
        assert said(*asked, code=2) == [f"chudian: {message}"]
