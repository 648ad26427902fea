"""A table that cannot follow its contract stops a run before Spark starts, and says what helps."""

from dataclasses import replace

import pytest

from jobs import night
from jobs.runtime import contract_changes
from schemas.errors import ConfigError
from tests.given.paths import CONF
from tests.given.rows import CONTRACTS
from tests.given.stored_tables import committed, made


def without(contract, *names):
    return replace(
        contract, columns=tuple(one for one in contract.columns if one.name not in names)
    )


def test_a_run_over_a_table_that_cannot_follow(tmp_path, capsys):
    web = CONTRACTS["push.web"]
    mood = replace(web.column("reason"), name="mood")
    made(tmp_path, without(replace(web, columns=(*web.columns, mood)), "picture"))
    committed(tmp_path, ("push.web", None, "2009-05-02"), ("push.web", None, "2009-05-03"))
    line = ["--data-date", "2009-05-03", "--conf", str(CONF), "--warehouse", str(tmp_path)]
    for more in ([], ["--dry-run"]):
        assert night.main([*line, "--landing", str(tmp_path / "none"), *more]) == 2
        assert capsys.readouterr().err == (
            "chudian: push.web: column 'mood': the table has it (string), the contract does not\n"
            "push.web: column 'picture': the table lacks it, the contract requires a value in "
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
