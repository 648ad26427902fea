"""Two whole lists of the synthetic province: packages of the billing system, and phone models.

The province has one list of each, and the first chunk delivers it.
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from models.synthetic.people.crm import BRAND_CODES
from models.synthetic.province import Province
from models.synthetic.rows import Rows, table

LIST_DAY = 1
OFFER_COLUMNS = (
    "list_month",
    "product_code",
    "product_name",
    "kind_code",
    "base_flag",
    "month_fee",
    "eff_date",
    "end_date",
    "brand_codes",
    "area_codes",
    "exclude_codes",
)
MODEL_COLUMNS = (
    "list_month",
    "tac",
    "maker",
    "model",
    "grade",
    "functions",
    "knockoff_flag",
    "source_code",
)
KIND_CODES = {"voice": "1", "gprs": "2", "sms": "3", "mms": "4", "wlan": "5"}
# maker, model, functions, grade of the match, knock-off, found by
MODELS = (
    ("Nokia", "6120c", "gprs;mms;wap", "A", 0, "1"),
    ("Nokia", "N73", "gprs;mms;wap", "A", 0, "1"),
    ("Nokia", "1200", "", "A", 0, "1"),
    ("Nokia", "E63", "gprs;mms;wap;wlan", "A", 0, "2"),
    ("Nokia", "5800", "gprs;mms;wap;wlan", "A", 0, "2"),
    ("MOTO", "E6", "gprs;mms;wap", "A", 0, "1"),
    ("MOTO", "V3", "gprs;mms;wap", "A", 0, "1"),
    ("MOTO", "A1200", "gprs;mms;wap", "B", 0, "2"),
    ("SonyEricsson", "K790", "gprs;mms;wap", "A", 0, "1"),
    ("SonyEricsson", "W610", "gprs;mms;wap", "B", 0, "2"),
    ("Samsung", "E848", "gprs;mms;wap", "A", 0, "1"),
    ("Samsung", "I908E", "gprs;mms;wap;wlan;td", "A", 0, "1"),
    ("Samsung", "X208", "gprs", "B", 0, "2"),
    ("Lenovo", "P960", "gprs;mms;wap", "A", 0, "1"),
    ("Lenovo", "i300", "gprs;mms", "C", 0, "3"),
    ("Dopod", "S900", "gprs;mms;wap;wlan", "A", 0, "1"),
    ("ZTE", "U980", "gprs;mms;wap;td", "A", 0, "1"),
    ("Hisense", "T68", "gprs;mms;td", "B", 0, "1"),
    ("Amoi", "N810", "gprs;mms;wap", "C", 0, "3"),
    ("Apple", "iPhone 3G", "gprs;wap;wlan", "D", 0, "3"),
    ("N0KLA", "N95", "gprs;mms", "D", 1, "3"),
    ("SAMSONG", "A9", "gprs", "D", 1, "3"),
)
FIRST_TAC, TAC_STEP = 35_100_001, 41_117


def offer_rows(province: Province, chunk: int) -> Rows:
    """Every package of one service as the billing system lists it, with its last valid day."""
    listed = {name: one for name, one in province.packages.items() if "kind" in one}
    records = []
    for day in province.days_of_month(LIST_DAY) if chunk == 0 else ():
        for place, (name, one) in enumerate(sorted(listed.items())):
            others = [
                other
                for other, package in sorted(listed.items())
                if other != name and package["kind"] == one["kind"] == "voice"
            ]
            last = one["valid"]["to"] - timedelta(days=1)
            records.append(
                (
                    day,
                    place,
                    f"{province.day(day):%Y%m}",
                    name.upper(),
                    one["name"],
                    KIND_CODES[one["kind"]],
                    str(int(one["kind"] == "voice")),
                    str(int(Fraction(one["monthly_fee"]) * 1000)),
                    f"{one['valid']['from']:%Y%m%d}",
                    f"{last:%Y%m%d}",
                    ";".join(BRAND_CODES[brand] for brand in one["brands"]),
                    "",
                    ";".join(other.upper() for other in others),
                )
            )
    return table(OFFER_COLUMNS, records)


def model_rows(province: Province, chunk: int) -> Rows:
    """Every phone model, with one type allocation code each."""
    records = []
    for day in province.days_of_month(LIST_DAY) if chunk == 0 else ():
        for place, (maker, model, able, grade, knockoff, found) in enumerate(MODELS):
            records.append(
                (
                    day,
                    place,
                    f"{province.day(day):%Y%m}",
                    str(FIRST_TAC + place * TAC_STEP),
                    maker,
                    model,
                    grade,
                    able,
                    str(knockoff),
                    found,
                )
            )
    return table(MODEL_COLUMNS, records)
