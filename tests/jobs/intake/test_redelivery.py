"""Deliveries that come again, corrected or late, and the archive from which they are read again."""

import json
import os
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from jobs.intake.archive import Archive, content_of
from jobs.intake.delivered_file import inspect
from jobs.intake.landing import Landing
from jobs.intake.redelivery import Deliveries, current_fingerprint, outdated_days
from jobs.warehouse.ledger import COMMITTED, Ledger
from schemas import config
from schemas.config.mapping.source_fingerprint import outdated
from schemas.errors import ChudianError, InputError
from schemas.window import Window, grouped
from tests.given.paths import ROOT

DAY = date(2009, 5, 20)
HEADER = (",".join(config.load([ROOT / "conf"]).sources["web_log"].columns) + "\n").encode()


@pytest.fixture
def site(conf, contracts, tmp_path):
    """The web's log (no control file) in a landing, an archive, and a ledger of earlier nights."""

    class Site:
        ledger = Ledger("r", conf.fingerprint)
        archive = Archive(tmp_path / "_archive")
        record = conf.sources["web_log"].record

        def put(self, day, text=b"one\n"):
            folder = tmp_path / "web_log" / str(day)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"web_{day:%Y%m%d}.csv").write_bytes(HEADER + text)

        def clear(self, day):
            (tmp_path / "web_log" / str(day) / f"web_{day:%Y%m%d}.csv").unlink()

        def night(self, day, rejected=0, **reading):
            """Take the day in, as the ledger would tell."""
            landing = self.landing()
            landing.files("web_log", conf.sources["web_log"], [day])
            self.ledger.write(
                "ingest.web_log",
                self.record,
                str(day),
                COMMITTED,
                source="web_log",
                content=landing.contents("web_log", [day])[day],
                reading=reading.get(
                    "reading", current_fingerprint(conf, contracts, "web_log", "ods.web_view")
                ),
                rows_rejected=rejected,
            )

        def landing(self, **how):
            return Landing(tmp_path, self.archive, **how)

        def deliveries(self, conf=conf, **how):
            landing = self.landing(**how)
            return Deliveries(conf, contracts, self.ledger, landing), landing

        def again(self, day, conf=conf):
            return self.deliveries(conf)[0].redelivered("web_log", Window(day, day))

        def unchanged(self, day):
            deliveries, landing = self.deliveries()
            landing.files("web_log", conf.sources["web_log"], [day])
            return deliveries.unchanged("web_log", Window(day, day))

    return Site()


def before(days):
    return DAY - timedelta(days=days)


def test_the_same_bytes_are_not_taken_in_again(site):
    site.put(before(1))
    site.night(before(1))
    assert site.again(DAY) == []
    assert site.unchanged(before(1))
    os.utime(next((site.archive.root.parent / "web_log").rglob("*.csv")), (0, 0))
    assert site.again(DAY) == []
    assert site.unchanged(before(1))


def test_corrected_bytes_are(site):
    for back in (2, 1):
        site.put(before(back))
        site.night(before(back))
    site.put(before(1), b"two\n")
    assert site.again(DAY) == [before(1)]
    assert not site.unchanged(before(1))
    assert site.unchanged(before(2))


def test_a_delivery_that_came_after_its_night_is_taken_in(site):
    for back in (3, 1):
        site.put(before(back))
        site.night(before(back))
    assert site.again(DAY) == []
    site.put(before(2))
    assert site.again(DAY) == [before(2)]


def test_the_very_first_delivery_can_be_corrected(site):
    site.put(before(1))
    site.night(before(1))
    site.put(before(1), b"two\n")
    assert site.again(DAY) == [before(1)]


def test_what_lay_there_before_the_first_night_is_history(site):
    for back in (3, 2):
        site.put(before(back))
    assert site.again(DAY) == []
    site.night(before(2))
    assert site.again(DAY) == []


@pytest.mark.parametrize(("back", "again"), [(31, True), (32, False)])
def test_a_night_looks_back_as_many_days_as_the_source_says(site, back, again):
    for one in (40, back):
        site.put(before(one))
        site.night(before(one))
    site.put(before(back), b"two\n")
    assert (site.again(DAY) == [before(back)]) == again


def test_a_stale_slice_is_read_again_however_old(site):
    site.put(before(90))
    site.night(before(90))
    site.ledger.invalidate(site.record, str(before(90)), "web_log", "a reason")
    assert site.again(DAY) == [before(90)]
    assert not site.unchanged(before(90))


def test_a_delivery_that_has_left_the_landing_is_read_from_the_archive(site, conf):
    of = conf.sources["web_log"]
    site.put(DAY)
    site.night(DAY)
    taken = site.ledger.entry(site.record, DAY, "web_log").content
    site.put(DAY, b"two\nthree\n")
    corrected = site.landing().files("web_log", of, [DAY])
    site.clear(DAY)
    landing = site.landing()
    (file,) = landing.files("web_log", of, [DAY], {DAY: taken})
    assert (file.rows, landing.contents("web_log", [DAY])) == (1, {DAY: taken})
    assert file.path.read_bytes() == HEADER + b"one\n"
    assert corrected[0].rows == 2
    with pytest.raises(InputError, match="no delivery: expected .*web_20090520.csv since"):
        site.landing().files("web_log", of, [DAY], {DAY: "0" * 16})
    assert site.landing().files("web_log", of, [DAY])  # before Spark it is enough that one is kept


def test_what_is_read_is_the_copy(site, conf, tmp_path):
    site.put(DAY)
    (file,) = site.landing().files("web_log", conf.sources["web_log"], [DAY])
    assert file.path.is_relative_to(site.archive.root)
    assert file.path.stat().st_mode & 0o077 == file.path.parent.stat().st_mode & 0o077 == 0
    (looked,) = site.landing(read_only=True).files("web_log", conf.sources["web_log"], [DAY])
    assert looked == replace(file, path=looked.path)
    assert looked.path.is_relative_to(tmp_path / "web_log")


def test_a_file_that_is_written_to_while_it_is_read_is_refused(site, conf, monkeypatch):
    site.put(DAY)

    def meanwhile(*asked):
        site.put(DAY, b"other\n")
        return inspect(*asked)

    monkeypatch.setattr("jobs.intake.landing.inspect", meanwhile)
    with pytest.raises(InputError, match="web_20090520.csv was written to while it was read"):
        site.landing().files("web_log", conf.sources["web_log"], [DAY])
    assert site.archive.kept("web_log", DAY) == []


def test_a_refused_delivery_leaves_nothing_in_the_archive(site, conf):
    site.put(DAY)
    of = conf.sources["web_log"]
    bad = replace(of, columns=(*of.columns, "more"))
    with pytest.raises(ChudianError):
        site.landing().files("web_log", bad, [DAY])
    assert list((site.archive.root / "web_log" / str(DAY)).iterdir()) == []


def test_an_archive_that_cannot_be_written_is_named(site, conf):
    site.put(DAY)
    (site.archive.root).write_text("a file in its place")
    with pytest.raises(ChudianError, match="cannot be copied to .*_archive.* check the folder"):
        site.landing().files("web_log", conf.sources["web_log"], [DAY])


def test_a_control_file_tells_the_content_without_reading(conf, tmp_path):
    """What the look back reads of a day: the promised checksums stand for the files."""
    of, folder = conf.sources["wap_log"], tmp_path / "wap_log" / str(DAY)
    folder.mkdir(parents=True)
    (folder / f"wap_{DAY:%Y%m%d}.txt").write_bytes(b"a\n")
    landing = Landing(tmp_path, Archive(tmp_path / "_archive"))
    by_bytes = landing.arrived_content("wap_log", of, DAY)
    entry = {"file": f"wap_{DAY:%Y%m%d}.txt", "rows": 1, "bytes": 2, "sha256": "AB" * 32}
    control = folder / f"wap_{DAY:%Y%m%d}.ctl"
    control.write_text(json.dumps(entry))
    assert (
        landing.arrived_content("wap_log", of, DAY)
        == content_of([(entry["file"], "ab" * 32)])
        != by_bytes
    )
    for other in ({**entry, "bytes": 3}, {**entry, "file": "x"}, {"file": entry["file"]}):
        control.write_text(json.dumps(other))
        assert landing.arrived_content("wap_log", of, DAY) == by_bytes
    control.write_text("no control file")
    assert landing.arrived_content("wap_log", of, DAY) == by_bytes
    assert landing.arrived_content("wap_log", of, before(1)) is None


# -- how a delivery is read ----------------------------------------------------------------------


def read(conf, contracts, **changes):
    source = replace(conf.sources["web_log"], **changes)
    return current_fingerprint(
        SimpleNamespace(
            sources={"web_log": source},
            channels=conf.channels,
            tariffs=conf.tariffs,
            services=conf.services,
            runtime=conf.runtime,
        ),
        contracts,
        "web_log",
        source.record,
    )


def test_another_mapping_code_or_format_is_another_reading_a_name_is_not(conf, contracts):
    now = read(conf, contracts)
    of = conf.sources["web_log"]
    for change in (
        {"mapping": {**of.mapping, next(iter(of.mapping)): "'other'"}},
        {"codes": {}},
        {"lookback_days": 8},
        {"exclude": {"none": "false"}},
        {"timezone": "Asia/Urumqi"},
        {"format": replace(of.format, delimiter=";")},
    ):
        assert outdated(now, read(conf, contracts, **change), rejected=0), change
    for change in (
        {"name_cn": "网站"},
        {"optional": True},
        {"due_by": "05:30"},
        {"files": replace(of.files, stable_s=60)},
    ):
        assert read(conf, contracts, **change) == now, change


def test_a_rule_of_the_contract_belongs_to_the_reading_its_words_do_not(conf, contracts):
    now, record = read(conf, contracts), conf.sources["web_log"].record
    one = contracts[record]
    for change, again in (({"max_length": 7}, True), ({"description": "other words"}, False)):
        columns = (replace(one.columns[0], **change), *one.columns[1:])
        other = {**contracts, record: replace(one, columns=columns)}
        assert outdated(now, read(conf, other), rejected=0) == again


def test_a_new_value_of_a_set_concerns_only_slices_with_rejected_rows(conf, contracts):
    now = current_fingerprint(
        conf, contracts, "complaint", "ods.complaint"
    )  # which is about a channel
    more = SimpleNamespace(
        sources=conf.sources,
        channels={**conf.channels, "kiosk": None},
        tariffs=conf.tariffs,
        services=conf.services,
        runtime=conf.runtime,
    )
    then = current_fingerprint(more, contracts, "complaint", "ods.complaint")
    assert outdated(now, then, rejected=1)
    assert not outdated(now, then, rejected=0)


def test_another_list_of_open_ends_is_another_reading_of_records_with_ends(conf, contracts):
    sooner = replace(conf, runtime=replace(conf.runtime, open_ends=(date(2079, 1, 1),)))
    changed = {
        name
        for name in ("subscriber", "voice")
        if current_fingerprint(conf, contracts, name, conf.sources[name].record)
        != current_fingerprint(sooner, contracts, name, conf.sources[name].record)
    }
    assert changed == {"subscriber"}


def test_the_days_that_would_be_read_otherwise_are_listed(site, conf, contracts):
    for back in (3, 2, 1):
        site.put(before(back))
        site.night(before(back), **({} if back == 2 else {"reading": "other.values"}))
    assert outdated_days(conf, contracts, site.ledger, "web_log") == [
        ("ods.web_view", before(3)),
        ("ods.web_view", before(1)),
    ]


def test_days_that_follow_each_other_are_one_window():
    days = [before(1), before(4), before(2)]
    assert grouped(days) == [Window(before(4), before(4)), Window(before(2), before(1))]
    assert grouped([]) == []
