"""A funnel's bars: what each stage leaves, on one scale."""

from xml.etree import ElementTree

from models.drawing import funnel


def drawn(losses, end, title="spring, wave 1, sms"):
    return ElementTree.fromstring(funnel.picture(title, "candidates", losses, "pushed", end))


def bars(picture):
    """(what its title says, width in pixels) of each bar."""
    return [(one.find("title").text, float(one.get("width"))) for one in picture.iter("rect")]


def test_bars_show_what_is_left_and_what_was_lost():
    found = bars(drawn([("CONSENT", 50), ("CAP_ALL", 30)], 20))
    assert found == [
        ("candidates: 100", 150.0),
        ("candidates: 100", 150.0),
        ("CONSENT: 50 of 100, 50 lost", 150.0),
        ("CONSENT: 50 of 100, 50 lost", 75.0),
        ("CAP_ALL: 20 of 50, 30 lost", 75.0),
        ("CAP_ALL: 20 of 50, 30 lost", 30.0),
        ("pushed: 20", 30.0),
        ("pushed: 20", 30.0),
    ]


def test_names_and_numbers_stand_beside_the_bars():
    words = [one.text for one in drawn([("CONSENT", 1234)], 0).iter("text")]
    assert words == [
        "spring, wave 1, sms",
        "candidates",
        "1,234",
        "CONSENT",
        "−1,234",
        "pushed",
        "0",
    ]


def test_one_of_a_million_is_still_seen_and_nothing_has_no_bar():
    assert bars(drawn([("CONSENT", 10**6)], 1))[-1] == ("pushed: 1", 1.0)
    assert bars(drawn([], 0)) == []


def test_a_title_is_written_as_text():
    assert "<b>" not in funnel.picture("<b>", "candidates", [], "pushed", 1)
