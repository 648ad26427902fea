"""A delivery without a control file is compared with what its source usually delivers."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from jobs.intake.completeness import drifts, require_usual_rows
from schemas.config.source import Cadence, RowsBand, Source, SourceFiles, SourceFormat
from schemas.errors import InputError

SUNDAY = date(2009, 5, 3)
DAILY = Cadence()
BAND = RowsBand(Decimal("0.5"), Decimal("2"), 28)


DAILY = Cadence()


def source(cadence=DAILY, band=BAND):
    return Source(
        "web_log",
        "ods.contact",
        "网站日志",
        "contact",
        cadence,
        SourceFiles("{source}", "*.txt", rows_band=band),
        SourceFormat(delimiter="|"),
        "Asia/Shanghai",
        ("a",),
        {},
    )


def weeks_before(*rows):
    """Rows of the same weekday, the newest first."""
    return {SUNDAY - timedelta(weeks=n): one for n, one in enumerate(rows, start=1)}


def refused(rows, before, of=None):
    with pytest.raises(InputError) as raised:
        require_usual_rows(of or source(), {SUNDAY: rows}, before)
    return str(raised.value)


@pytest.mark.parametrize("rows", [50, 100, 200])
def test_half_to_twice_the_usual_rows_are_let_through(rows):
    require_usual_rows(source(), {SUNDAY: rows}, weeks_before(100, 90, 5000))


@pytest.mark.parametrize("rows", [0, 49, 201])
def test_a_row_outside_the_band_waits_for_the_rest(rows):
    assert refused(rows, weeks_before(100, 90, 5000)) == (
        f"web_log 2009-05-03: {rows} rows, expected 50 to 200 (the median of 3 comparable "
        "deliveries is 100): wait for the rest, widen files.rows_band, or let it pass once "
        "with --accept-rejects"
    )


def test_a_source_without_a_band_is_not_compared():
    require_usual_rows(source(band=None), {SUNDAY: 1}, weeks_before(100, 100, 100))


def test_two_deliveries_are_too_few_to_know_what_is_usual():
    require_usual_rows(source(), {SUNDAY: 1}, weeks_before(100, 100))


def test_only_the_same_weekday_counts():
    other_days = {SUNDAY - timedelta(days=n): 9000 for n in range(1, 29) if n % 7}
    require_usual_rows(source(), {SUNDAY: 100}, {**other_days, **weeks_before(100, 100, 100)})


def test_what_lies_further_back_than_the_days_does_not_count():
    before = weeks_before(100, 100, 100, 100, *[9000] * 9)
    require_usual_rows(source(), {SUNDAY: 100}, before)
    assert "the median of 4 comparable deliveries is 100" in refused(1, before)


def test_a_monthly_source_is_compared_with_every_delivery():
    monthly = source(Cadence(monthly=3), RowsBand(Decimal("0.5"), Decimal("2"), 100))
    before = {date(2009, month, 3): 100 for month in (2, 3, 4)}
    assert "the median of 3" in refused(49, before, monthly)


def test_in_a_load_of_many_days_each_is_compared_with_those_before_it():
    days = weeks_before(100, 100, 100)
    with pytest.raises(InputError, match="2009-05-03: 10 rows"):
        require_usual_rows(source(), {SUNDAY: 10, **days}, {})
    # What is repeated counts with its new figure, not with that of the ledger.
    require_usual_rows(source(), {SUNDAY: 10, **dict.fromkeys(days, 10)}, days)


def test_drifts_are_multiples_of_what_is_usual_by_day():
    before = weeks_before(100, 90, 5000)
    assert drifts(source(), {SUNDAY: 30}, before) == {
        "rows_band": {SUNDAY: 0.3},
        "volume_drift": {SUNDAY: 0.3},
    }
    assert drifts(source(band=None), {SUNDAY: 250}, before) == {"volume_drift": {SUNDAY: 2.5}}


@pytest.mark.parametrize(
    "before",
    [weeks_before(100, 100), weeks_before(0, 0, 5)],
    ids=["too few to compare with", "mostly empty ones before it"],
)
def test_what_cannot_be_compared_has_no_drift(before):
    assert drifts(source(), {SUNDAY: 30}, before) == {"rows_band": {}, "volume_drift": {}}


@pytest.mark.parametrize(("usual", "judged"), [(50, True), (49, False)])
def test_the_size_of_small_deliveries_says_nothing(usual, judged):
    found = drifts(source(), {SUNDAY: 7}, weeks_before(usual, usual, usual))
    assert (SUNDAY in found["volume_drift"]) == judged
    assert SUNDAY in found["rows_band"]
