"""The currency of runtime.yml: what is refused, and that contracts and messages are in it."""

from decimal import Decimal
from fractions import Fraction

import pytest

from schemas import config, contract
from schemas.currency import YUAN, Currency
from schemas.render import delta, dictionary
from tests.given.manual import blocks
from tests.given.paths import CONF as SHIPPED
from tests.given.paths import ROOT
from tests.given.small_configuration import CONF, edit, refusal, write

ROUBLE = Currency("RUB", "RUB", "руб.", 2)
YEN = Currency("JPY", "yen", "円", 0)
DINAR = Currency("KWD", "KWD", "د.ك", 3)


def configured(folder, text):
    write(folder / "conf", CONF)
    return write(folder / "local", {"runtime.yml": text})


def test_without_a_word_and_as_shipped_the_currency_is_yuan(tmp_path):
    assert config.load([write(tmp_path / "conf", CONF)]).runtime.currency == YUAN
    assert config.load([SHIPPED]).runtime.currency == YUAN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("currency: RUB\ncurrencies: {RUB: {name: руб., minor_unit: 2}}", ROUBLE),
        ("currency: JPY\ncurrencies: {JPY: {unit: yen, name: 円, minor_unit: 0}}", YEN),
        ("currencies: {RUB: {name: руб., minor_unit: 2}}", YUAN),  # known and not chosen
    ],
)
def test_an_overlay_names_another_and_takes_nothing_from_yuan(tmp_path, text, expected):
    local = configured(tmp_path, text)
    assert config.load([SHIPPED, local]).runtime.currency == expected


def test_the_example_of_the_manual_is_accepted(tmp_path):
    (text,) = (
        text for _, text in blocks(ROOT / "docs/operate.md") if text.startswith("currency: ")
    )
    found = config.load([SHIPPED, configured(tmp_path, text)], contract.load()).runtime.currency
    assert found == Currency("RUB", "rouble", "руб.", 2, ("₽",))


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (
            "currency: RUB",
            1,
            "currency: 'RUB' is not in currencies: write currencies: "
            "{RUB: {name: …, minor_unit: …}} with its name for customers and its decimals",
        ),
        ("currency: roubles", 1, "currency: expected a code of ISO 4217, like CNY; got 'roubles'"),
        ("currencies:\n  RUB: {name: руб.}", 2, "currencies.RUB: the key 'minor_unit' is missing"),
        ("currencies:\n  RUB:\n    minor_unit: 2", 2, "currencies.RUB: the key 'name' is missing"),
        (
            "currencies:\n  RUB:\n    name: руб.\n    minor_unit: 7",
            4,
            "currencies.RUB.minor_unit: expected a number ≤ 6; got 7",
        ),
        (
            "currencies:\n  RUB:\n    name: руб.\n    minor_unit: -1",
            4,
            "currencies.RUB.minor_unit: expected a number ≥ 0; got -1",
        ),
        (
            'currencies:\n  RUB:\n    name: руб.\n    minor_unit: "2"',
            4,
            "currencies.RUB.minor_unit: expected a whole number; got '2'",
        ),
        ("currencies:\n  rouble: {name: руб., minor_unit: 2}", 2, "currencies.rouble: unknown key"),
    ],
)
def test_a_currency_that_is_not_whole_is_refused_with_its_place(tmp_path, text, line, problem):
    local = configured(tmp_path, text)
    (found,) = refusal(tmp_path / "conf", local).splitlines()
    assert found.split(": ")[0].endswith(f"local/runtime.yml:{line}")
    assert problem in found


def test_more_decimals_than_a_column_of_money_has_are_refused(tmp_path):
    text = "currency: CLF\ncurrencies:\n  CLF: {name: UF, minor_unit: 4}"
    local = configured(tmp_path, text)
    (found,) = refusal(SHIPPED, local, contracts=contract.load()).splitlines()
    assert found.endswith(
        "local/runtime.yml:3: currencies.CLF.minor_unit: expected a number ≤ 3, the decimals of "
        "ods.bill.total; got 4"
    )


def test_three_decimals_are_what_every_column_of_money_holds(tmp_path):
    text = "currency: KWD\ncurrencies: {KWD: {name: د.ك, minor_unit: 3}}"
    local = configured(tmp_path, text)
    assert config.load([SHIPPED, local], contract.load()).runtime.currency == DINAR


def test_a_mistake_in_a_price_is_told_in_the_currency(tmp_path):
    local = configured(tmp_path, "currency: RUB\ncurrencies: {RUB: {name: руб., minor_unit: 2}}")
    edit(tmp_path / "conf", "channels.yml", '"5.31"', "dear")
    edit(tmp_path / "conf", "tariffs/gprs_standard.yml", 'monthly_fee: "0"', "monthly_fee: free")
    said = refusal(tmp_path / "conf", local)
    assert "hall.unit_cost: expected RUB written as a string, like \"5.31\"; got 'dear'" in said
    assert "monthly_fee: expected RUB written as a string, like \"0.40\"; got 'free'" in said


def test_in_yuan_contracts_stay_as_they_are():
    read = contract.load()
    same = contract.in_currency(read, YUAN)
    assert same == read
    assert {table: one.version for table, one in same.items()} == {
        table: one.version for table, one in read.items()
    }
    assert not any("chudian.currency" in delta.properties(one) for one in same.values())


@pytest.mark.parametrize("currency", [ROUBLE, YEN, DINAR], ids=lambda one: one.code)
def test_no_text_of_a_contract_says_yuan_where_the_currency_is_another(currency):
    contracts = contract.in_currency(contract.load(), currency)
    text = dictionary.markdown(contracts)
    assert "yuan" not in text
    assert "每月约省12.46元" not in text
    assert f"at least 0 {currency.unit}" in text
    units = {column.unit for one in contracts.values() for column in one.columns}
    assert {currency.unit, f"micro_{currency.unit}"} <= units
    for one in contracts.values():
        assert f"'chudian.currency' = '{currency.code}'" in delta.create_table_sql(one, "place")


@pytest.mark.parametrize(("currency", "scale"), [(ROUBLE, 2), (YEN, 0), (DINAR, 3)])
def test_what_a_channel_gets_has_the_decimals_that_people_read(currency, scale):
    contracts = contract.in_currency(contract.load(), currency)
    saving = contracts["push.sms"].column("saving")
    assert saving.type == f"decimal(18,{scale})"
    assert saving.example.as_tuple().exponent == -scale
    assert contracts["mart.package_match"].column("saving").type == "decimal(18,6)"


@pytest.mark.parametrize(
    ("currency", "amount", "read", "exact"),
    [
        (YUAN, "12.345", "12.35", "12.345"),
        (YUAN, "-0.001", "0.00", "-0.001"),
        (YUAN, "12", "12.00", "12.00"),
        (YEN, "1234.5", "1235", "1234.5"),
        (YEN, "1234", "1234", "1234"),
        (DINAR, "1.2", "1.200", "1.200"),
        (DINAR, "-1.00055", "-1.001", "-1.00055"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(currency, amount, read, exact):
    assert str(currency.rounded(Decimal(amount))) == read
    assert currency.exact(Fraction(amount)) == exact


def test_a_third_is_written_with_six_decimals_rounded_half_up():
    assert YUAN.exact(Fraction(2, 3)) == "0.666667"
    assert YUAN.exact(Fraction(-2, 3)) == "-0.666667"
    assert YEN.exact(Fraction(1, 3)) == "0.333333"
