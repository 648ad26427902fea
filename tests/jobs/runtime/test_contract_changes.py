"""A table that cannot follow its contract stops a run before Spark starts, and says what helps."""

from dataclasses import replace

import pytest

from jobs import erase, night, quote, status, what_if
from jobs.runtime import contract_changes
from jobs.warehouse import delta_log
from schemas import contract
from schemas.currency import YUAN, Currency
from schemas.errors import ConfigError
from schemas.render import migration
from tests.given.paths import CONF
from tests.given.rows import CONTRACTS
from tests.given.stored_tables import committed, made

ROUBLE = Currency("RUB", "RUB", "руб.", 2)
YEN = Currency("JPY", "yen", "円", 0)


def without(contract, *names):
    return replace(
        contract, columns=tuple(one for one in contract.columns if one.name not in names)
    )


def test_a_run_over_a_table_that_cannot_follow(tmp_path, capsys):
    web = CONTRACTS["push.web"]
    mood = replace(web.column("reason"), name="mood")
    made(tmp_path, without(replace(web, columns=(*web.columns, mood)), "script"))
    committed(tmp_path, ("push.web", None, "2009-05-02"), ("push.web", None, "2009-05-03"))
    line = ["--data-date", "2009-05-03", "--conf", str(CONF), "--warehouse", str(tmp_path)]
    for more in ([], ["--dry-run"]):
        assert night.main([*line, "--landing", str(tmp_path / "none"), *more]) == 2
        assert capsys.readouterr().err == (
            "chudian: push.web: column 'mood': the table has it (string), the contract does not\n"
            "push.web: column 'script': the table lacks it, the contract requires a value in "
            "every row; a new column must be optional\n"
            f"  put the contract of push.web back as it was, or move {tmp_path}/push/web away and "
            "run: python -m jobs.night --data-date 2009-05-03 --only push\n"
        )


@pytest.mark.parametrize(
    ("table", "slices", "advice"),
    [
        (
            "dw.contact_view",
            [("dw.contact_view", None, "2009-05-02"), ("dw.contact_view", None, "2009-05-03")],
            "run: python -m jobs.night --data-date 2009-05-03 --only contact_view",
        ),
        (
            "ods.customer",
            [
                ("ods.customer", "customer", "2009-05-01"),
                ("ods.customer", "customer", "2009-05-03"),
            ],
            "run: python -m jobs.night --from-date 2009-05-01 --to-date 2009-05-03 "
            "--only ingest.customer",
        ),
        (
            "dw.usage_month",
            [("dw.usage_month", None, "2009-04-01"), ("ods.customer", "customer", "2009-05-03")],
            "run: python -m jobs.night --from-date 2009-04-01 --to-date 2009-05-03 "
            "--only usage_month",
        ),
        ("dw.contact_view", [], "run: the next night"),
        ("dw.rating_measure", [], "no run can write the rows again that are in the table"),
    ],
    ids=["snapshots", "deliveries", "months", "an empty table", "an append-only table"],
)
def test_what_helps(tmp_path, conf, table, slices, advice):
    changed = replace(CONTRACTS[table], key=CONTRACTS[table].key[:-1])
    column = CONTRACTS[table].columns[0]
    made(tmp_path, replace(changed, columns=(column,), partition_by=()))
    committed(tmp_path, *slices)
    with pytest.raises(ConfigError) as raised:
        contract_changes.require_fit(str(tmp_path), conf, CONTRACTS, [table])
    assert str(raised.value).splitlines()[-1].endswith(advice)


def test_an_optional_column_and_a_limit_are_followed(tmp_path, conf):
    made(tmp_path, without(CONTRACTS["dw.contact_view"], "first_contact_at"))
    changes = contract_changes.require_fit(str(tmp_path), conf, CONTRACTS, ["dw.contact_view"])
    assert changes["dw.contact_view"].startswith("first_contact_at added; contacts_range added; ")


def test_a_warehouse_without_tables(tmp_path, conf):
    assert contract_changes.require_fit(str(tmp_path), conf, CONTRACTS, CONTRACTS) == {}


@pytest.mark.parametrize(
    ("there", "now", "had", "wanted"),
    [(YUAN, ROUBLE, "CNY", "RUB"), (ROUBLE, YUAN, "RUB", "CNY"), (ROUBLE, YEN, "RUB", "JPY")],
    ids=["yuan to roubles", "roubles to yuan", "roubles to yen"],
)
def test_a_warehouse_in_another_currency_is_refused(tmp_path, conf, there, now, had, wanted):
    contracts = contract.in_currency(CONTRACTS, now)
    made(tmp_path, contract.in_currency(CONTRACTS, there)["ops.run_ledger"])
    message = (
        f"{tmp_path}: its amounts are in {had}, runtime.yml says {wanted}: give another "
        f"--warehouse, or write currency: {had}"
    )
    with pytest.raises(ConfigError) as raised:
        contract_changes.require_fit(str(tmp_path), conf, contracts, ["mart.decision"])
    assert str(raised.value) == message
    table = contract.in_currency(CONTRACTS, there)["mart.decision"]
    made(tmp_path, table)
    plan = migration.migration(
        contracts["mart.decision"], delta_log.stored(str(tmp_path), table.table)
    )
    assert f"currency: the table has {had}, runtime.yml says {wanted}" in plan.refused


@pytest.mark.parametrize("currency", [YUAN, ROUBLE])
def test_a_warehouse_in_the_same_currency_goes_on(tmp_path, conf, currency):
    contracts = contract.in_currency(CONTRACTS, currency)
    made(tmp_path, contracts["ops.run_ledger"])
    contract_changes.require_currency(str(tmp_path), contracts)


@pytest.mark.parametrize(
    ("command", "more"),
    [
        (night, ("--landing", "none")),
        (night, ("--landing", "none", "--dry-run")),
        (quote, ("--subscriber", "1", "--package", "gprs_5", "--month", "2009-04")),
        (what_if, ("--tariff", str(CONF / "tariffs" / "gprs_5.yml"))),
        (status, ()),
        (erase, ("--customer-no", "C1", "--request", "R-1")),
    ],
    ids=["night", "dry run", "quote", "what_if", "status", "erase"],
)
def test_no_command_shows_yuan_as_roubles(tmp_path, capsys, command, more):
    local, warehouse = tmp_path / "local", tmp_path / "warehouse"
    local.mkdir()
    text = "currency: RUB\ncurrencies: {RUB: {name: руб., minor_unit: 2}}\n"
    (local / "runtime.yml").write_text(text, encoding="utf-8")
    committed(warehouse, ("dw.contact_view", None, "2009-05-03"))
    line = [] if command is erase else ["--data-date", "2009-05-03"]
    line += ["--conf", str(CONF), "--conf", str(local)]
    assert command.main([*line, "--warehouse", str(warehouse), *more]) == 2
    assert "its amounts are in CNY, runtime.yml says RUB" in capsys.readouterr().err
