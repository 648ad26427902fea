"""What a campaign says of itself: its best wave, and how long an offer holds."""

from datetime import date
from decimal import Decimal

import pytest

from schemas.config.campaign import LaterWave
from tests.given.campaigns import campaign

WAVES = campaign(
    channels=("hall",),
    later_waves=(LaterWave(2, "not_reached", ("sms",)), LaterWave(3, "touched", ("hotline",))),
    valid_days_on={"sms": 7},
)


@pytest.mark.parametrize(
    ("acceptance", "best"), [((".30", ".20", ".50"), 3), ((".30", ".30", ".1"), 1)]
)
def test_the_best_wave_has_the_channel_that_most_accept_and_the_first_goes_first(acceptance, best):
    shares = dict(zip(("hall", "sms", "hotline"), map(Decimal, acceptance), strict=True))
    found = campaign(channels=("hall",), later_waves=WAVES.later_waves, acceptance=shares)
    assert found.best_wave == best


@pytest.mark.parametrize(
    ("channel", "pushed", "last"),
    [
        ("sms", date(2009, 5, 3), date(2009, 5, 10)),
        ("hall", date(2009, 5, 1), date(2009, 5, 31)),
        ("sms", date(2009, 5, 28), date(2009, 5, 31)),  # the campaign's last day
    ],
)
def test_an_offer_holds_as_long_as_its_channel_says(channel, pushed, last):
    assert WAVES.last_day_on(channel, pushed) == last
