"""The before and after picture: amounts add up, bars are to scale, texts are safe in a page."""

import itertools
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from models.drawing import bill_comparison
from models.drawing.bill_comparison import Side, picture, stated
from models.tariff.amounts import BUCKETS
from schemas.currency import YUAN, Currency

SVG = "{http://www.w3.org/2000/svg}"


ROUBLE = Currency("RUB", "RUB", "руб.", 2)
YEN = Currency("JPY", "yen", "円", 0)
DINAR = Currency("KWD", "KWD", "د.ك", 3)


def bill(total: str, currency=YUAN, **lines: str) -> dict[str, Decimal]:
    """A stated bill; a line that is not named is zero."""
    exact = dict.fromkeys(BUCKETS, Decimal(0))
    exact |= {line: Decimal(amount) for line, amount in lines.items()}
    return stated(Decimal(total), exact, currency)


def drawn(
    before: dict,
    after: dict,
    names=("使用前", "换用后"),
    heading="换用全球通58套餐",
    currency=YUAN,
):
    sides = map(Side, names, (before, after))
    return ElementTree.fromstring(picture(heading, "平均每月", *sides, currency))


def pieces(root) -> list[list[tuple[str, Decimal, Decimal]]]:
    """Per bar, in document order: title, top and bottom of each piece."""
    bars: dict[str, list] = {}
    for rect in root.iter(f"{SVG}rect"):
        title = rect.find(f"{SVG}title")
        if title is not None:
            top = Decimal(rect.get("y"))
            bars.setdefault(rect.get("x"), []).append(
                (title.text, top, top + Decimal(rect.get("height")))
            )
    return list(bars.values())


def words(root) -> list[str]:
    return [text.text for text in root.iter(f"{SVG}text")]


def test_heights_of_pieces_follow_their_amounts_on_one_scale():
    # The higher bar is 100.00 yuan and 230 pixels, so a yuan is 2.30 pixels in both bars.
    root = drawn(
        bill("100", monthly_fee="50", local_airtime="40"),
        bill("80", monthly_fee="60", local_airtime="10"),
    )
    before, after = pieces(root)
    assert before == [
        ("其他费用 10.00 元", 299, 322),
        ("月租 50.00 元", 184, 299),
        ("本地通话 40.00 元", 92, 184),
    ]
    assert after == [
        ("其他费用 10.00 元", 299, 322),
        ("月租 60.00 元", 161, 299),
        ("本地通话 10.00 元", 138, 161),
    ]
    assert "平均每月节省 20.00 元" in words(root)


def test_negative_amounts_are_below_the_base_line():
    # 110 above and 5 below the line: 115.00 is 230 pixels, so the line is at 92 + 220.
    root = drawn(
        bill("105", monthly_fee="30", gprs="80", cap_cut="-5"), bill("90", monthly_fee="90")
    )
    before, after = pieces(root)
    assert before == [
        ("封顶减免 -5.00 元", 312, 322),
        ("月租 30.00 元", 252, 312),
        ("上网 80.00 元", 92, 252),
    ]
    assert after == [("月租 90.00 元", 132, 312)]
    line = next(one for one in root.iter(f"{SVG}line") if one.get("stroke") == "#222")
    assert line.get("y1") == line.get("y2") == "312.00"


def test_the_legend_has_every_amount_and_no_line_that_is_zero():
    root = drawn(bill("100", monthly_fee="100"), bill("58.01", monthly_fee="58", sms="0.01"))
    texts = words(root)
    start = texts.index("短信")
    assert texts[start : start + 3] == ["短信", "月租", "合计"]
    assert texts[-6:] == ["0.00", "0.01", "100.00", "58.00", "100.00", "58.01"]
    assert not {"本地通话", "其他费用", "封顶减免"} & set(texts)


def test_the_widest_bill_fits_into_the_picture_and_no_pieces_overlap():
    lines = {line: str(number * 7 + 3) for number, line in enumerate(BUCKETS)}
    root = drawn(bill("900", **lines | {"cap_cut": "-60"}), bill("0.03", monthly_fee="0.01"))
    _, _, width, height = map(int, root.get("viewBox").split())
    assert (str(width), str(height)) == (root.get("width"), root.get("height"))
    for bar in pieces(root):
        reached = sorted((top, bottom) for _, top, bottom in bar)
        assert all(bottom == top for (_, bottom), (top, _) in itertools.pairwise(reached))
        assert reached[0][0] >= 92
        assert reached[-1][1] <= 322
    for one in root.iter():
        for name, most in (("x", width), ("y", height), ("x1", width), ("x2", width)):
            assert 0 <= Decimal(one.get(name, "0")) <= most
    # Fonts are not known: a Chinese character is as wide as it is high, other letters half of that.
    rows = [(Decimal(one.get("x")), Decimal(one.get("y"))) for one in root.iter(f"{SVG}text")]
    assert len(rows) == len(set(rows))
    assert max(y for _, y in rows) <= height - 5


def test_a_bill_of_zero_has_no_pieces():
    root = drawn(bill("0"), bill("0"))
    assert pieces(root) == []
    assert words(root).count("0.00 元") == 2
    assert "平均每月费用相同" in words(root)


def test_a_dearer_package_is_shown_as_dearer():
    assert "平均每月多付 0.50 元" in words(drawn(bill("10"), bill("10.5")))


@pytest.mark.parametrize(
    "sides",
    [
        (stated(Decimal("100"), None, YUAN), bill("87.55", monthly_fee="58")),
        (bill("100", monthly_fee="50"), stated(Decimal("87.55"), None, YUAN)),
    ],
)
def test_without_the_lines_of_one_side_only_totals_are_drawn(sides):
    root = drawn(*sides)
    before, after = pieces(root)
    assert before == [("合计 100.00 元", 92, 322)]
    assert [title for title, _, _ in after] == ["合计 87.55 元"]
    assert "有的月份不能逐项核算，只比较合计" in words(root)
    assert "月租" not in words(root)


def test_the_lines_of_a_stated_bill_add_up_and_whole_cents_do_not_change():
    # Thirds of a yuan: rounded one by one, they would give 0.33 + 0.33 + 0.33, not 1.00.
    third = "0.333333333"
    found = bill("59.000", monthly_fee="58", sms=third, mms=third)
    assert found["monthly_fee"] == 58
    assert sum(amount for line, amount in found.items() if line != "total") == 59
    assert {str(found[line]) for line in ("sms", "mms")} <= {"0.33", "0.34"}


def test_an_amount_slightly_below_zero_is_zero_without_a_sign():
    found = bill("49.9999997", monthly_fee="50")
    assert (str(found["passed_through"]), str(found["total"])) == ("0.00", "50.00")


def test_names_cannot_inject_markup_and_the_picture_is_one_plain_cell():
    nasty = "</title><script>alert('1')</script>&\"\t\n\x07"
    text = picture(f"换用{nasty}", "平均每月", Side(nasty, bill("1")), Side("b", bill("1")), YUAN)
    root = ElementTree.fromstring(text)
    assert root.find(f"{SVG}title").text.startswith("换用</title><script>")
    assert {one.tag.removeprefix(SVG) for one in root.iter()} == {
        "svg",
        "title",
        "desc",
        "g",
        "rect",
        "text",
        "line",
    }
    assert not any(mark in text for mark in '\t\r\n"')


def test_the_picture_has_a_title_and_a_description_and_needs_nothing_from_outside():
    text = picture(
        "换用甲",
        "平均每月",
        Side("使用前", bill("100", monthly_fee="60")),
        Side("换用后", bill("80", monthly_fee="40")),
        YUAN,
    )
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img"
    assert [one.tag for one in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert root.find(f"{SVG}desc").text == (
        "使用前 100.00 元：月租 60.00，其他费用 40.00；"
        "换用后 80.00 元：月租 40.00，其他费用 40.00；"
        "平均每月节省 20.00 元"
    )
    assert text.count("http") == 1
    assert "url(" not in text
    assert "href" not in text
    colours = [fill for _, fill, _ in bill_comparison.SHOWN.values() if fill != "#0072b2"]
    assert len(colours) == len(set(colours)) == len(bill_comparison.STACK) - 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("全球通商旅套餐", "全球通商旅套餐"),
        ("全球通商旅套餐甲", "全球通商旅套…"),
        ("GoTone 58 yuan", "GoTone 58 yuan"),
        ("GoTone 58 yuan!", "GoTone 58 yu…"),
    ],
)
def test_a_long_name_is_cut_in_the_legend(name, shown):
    assert shown in words(drawn(bill("1"), bill("1"), names=(name, "换用后")))


@pytest.mark.parametrize(
    ("currency", "total", "fee", "change"),
    [
        (ROUBLE, "100.00 руб.", "月租 60.00 руб.", "平均每月节省 20.50 руб."),
        (YEN, "100 円", "月租 60 円", "平均每月节省 20 円"),  # 79.5 is 80 as people read it
        (DINAR, "100.000 د.ك", "月租 60.000 د.ك", "平均每月节省 20.500 د.ك"),
    ],
    ids=lambda one: getattr(one, "code", ""),
)
def test_a_picture_is_in_the_currency_and_to_its_minor_unit(currency, total, fee, change):
    root = drawn(
        bill("100", currency, monthly_fee="60", sms="40"),
        bill("79.5", currency, monthly_fee="60", sms="19.5"),
        currency=currency,
    )
    (before, _), _ = pieces(root)
    assert before[0] == fee
    assert (before[1], before[2]) == (184, 322)  # 60 of 100 on 230 pixels, whatever the decimals
    assert {total, change} <= set(words(root))
    assert change in root.find(f"{SVG}desc").text
    assert "元" not in ElementTree.tostring(root, "unicode")


def test_amounts_of_a_currency_without_decimals_add_up():
    found = bill("59", YEN, monthly_fee="58", sms="0.4", mms="0.4")
    assert sum(amount for line, amount in found.items() if line != "total") == 59
    assert all(amount == int(amount) for amount in found.values())
