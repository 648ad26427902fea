"""What a table does when its contract has changed: it follows, or the difference is refused."""

import pytest

from schemas import contract
from schemas.render import delta, migration
from schemas.render.spark import struct_type

CALL = "ods/call.yml"
CALL_NO = "- {name: call_no, type: string"


def stored(of, **properties):
    """The table as Delta's log describes it after its contract has made it."""
    schema = struct_type(of).jsonValue()
    for field, column in zip(schema["fields"], of.columns, strict=True):
        field["metadata"] = {"comment": column.name_cn}
    kept = {k: v for k, v in delta.properties(of).items() if not k.startswith("delta.min")}
    return migration.stored(schema, of.partition_by, {**kept, **properties}, delta.comment(of))


@pytest.fixture
def changed(files, load, call):
    """How the table of the small folder follows its contract after a change of the file."""

    def make(old, new):
        name = next(name for name in files if name.endswith("call.yml"))
        assert old in files[name]
        files[name] = files[name].replace(old, new, 1)
        new_call = load(files)["ods.call"]
        return new_call, migration.migration(new_call, stored(call))

    return make


def test_a_table_that_is_as_its_contract_says_has_nothing_to_do(call):
    assert migration.migration(call, stored(call)) == migration.Migration()


@pytest.mark.parametrize(
    ("there", "same"),
    [
        ("`direction` IS NULL OR ( `direction` IN ( 'mo' , 'm\\'t' ) )", True),
        ("`direction` IS NULL OR (`direction` IN ('mo', 'm\\' t'))", False),
        ("`direction` IS NULL OR (`direction` IN ('mo'))", False),
    ],
    ids=["spaces between words", "a space in a value", "fewer values"],
)
def test_limits_are_compared_without_the_spaces_between_their_words(call, there, same):
    plan = migration.migration(call, stored(call, **{"delta.constraints.direction_allowed": there}))
    assert (plan == migration.Migration()) is same


def test_every_shipped_table_is_as_its_contract_says():
    for one in contract.load().values():
        assert migration.migration(one, stored(one)) == migration.Migration()


def test_types_of_delta_are_those_of_contracts():
    schema = {
        "fields": [
            {"name": name, "type": written, "nullable": True, "metadata": {}}
            for name, written in [
                ("a", "short"),
                ("b", "integer"),
                ("c", "long"),
                ("d", "decimal(12,3)"),
                (
                    "e",
                    {
                        "type": "array",
                        "elementType": {
                            "type": "struct",
                            "fields": [{"name": "no", "type": "integer"}],
                        },
                    },
                ),
                ("f", "timestamp_ntz"),
                ("g", {"type": "map", "keyType": "string", "valueType": "string"}),
            ]
        ]
    }
    assert [str(one.kind) for one in migration.stored(schema, [], {}, None).columns] == [
        "smallint",
        "int",
        "bigint",
        "decimal(12,3)",
        "array<struct<no:int>>",
        "timestamp_ntz",
        "map",
    ]


ADDED = "- {name: mood, type: string, name_cn: 心情, description: Mood., max_length: 9, example: a}"


@pytest.mark.parametrize(
    ("old", "new", "changes", "statements"),
    [
        (
            f"  {CALL_NO}",
            f"  {ADDED}\n  {CALL_NO}",
            ("mood added", "mood_max_length added"),
            (
                "ADD COLUMNS (`mood` string COMMENT '心情' FIRST)",
                "ADD CONSTRAINT `mood_max_length` CHECK (`mood` IS NULL OR "
                "(octet_length(`mood`) <= 9 OR char_length(`mood`) <= 9))",
            ),
        ),
        (
            "  - {name: subscriber_no",
            f"  {ADDED.replace(' max_length: 9,', '')}\n  - {{name: subscriber_no",
            ("mood added",),
            ("ADD COLUMNS (`mood` string COMMENT '心情' AFTER `call_no`)",),
        ),
        (
            "max_length: 5",
            "max_length: 6",
            ("note_max_length changed",),
            (
                "DROP CONSTRAINT IF EXISTS `note_max_length`",
                "ADD CONSTRAINT `note_max_length` CHECK (`note` IS NULL OR "
                "(octet_length(`note`) <= 6 OR char_length(`note`) <= 6))",
            ),
        ),
        (
            'allowed: [mo, "m\'t"]',
            "allowed: [mo, fwd]",
            ("direction_allowed changed",),
            (
                "DROP CONSTRAINT IF EXISTS `direction_allowed`",
                "ADD CONSTRAINT `direction_allowed` CHECK (`direction` IS NULL OR "
                "(`direction` IN ('mo', 'fwd')))",
            ),
        ),
        (
            ", max_length: 5",
            "",
            ("note_max_length dropped",),
            ("DROP CONSTRAINT IF EXISTS `note_max_length`",),
        ),
        (
            "required: true, name_cn: 用户标识",
            "name_cn: 用户号",
            ("subscriber_no may be missing", "subscriber_no described anew"),
            (
                "ALTER COLUMN `subscriber_no` DROP NOT NULL",
                "ALTER COLUMN `subscriber_no` COMMENT '用户号'",
            ),
        ),
        (
            "grain: one accepted call",
            "grain: one call",
            ("table described anew",),
            ("SET TBLPROPERTIES ('comment' = '通话: one call')",),
        ),
        ("description: Length.", "description: How long.", (), ()),
        ("retention_days: 400", "retention_days: 500", (), ()),
    ],
    ids=[
        "a first column",
        "a column in between",
        "a longer text",
        "other values",
        "no limit",
        "no longer required",
        "a grain",
        "a description",
        "retention",
    ],
)
def test_what_a_table_can_follow(changed, old, new, changes, statements):
    made, plan = changed(old, new)
    assert plan.refused == ()
    assert plan.changes == (*changes, f"contract {made.version}")
    assert plan.statements[:-1] == statements
    assert plan.statements[-1] == (f"SET TBLPROPERTIES ('chudian.contract' = '{made.version}')")


def test_limits_of_columns_that_are_there_are_tried_on_their_rows(changed):
    _, plan = changed("max_length: 5", "max_length: 3")
    holds = "`note` IS NULL OR (octet_length(`note`) <= 3 OR char_length(`note`) <= 3)"
    assert plan.checks == {"note_max_length": holds}


def test_limits_of_a_new_column_need_no_trial(changed):
    _, plan = changed("  - {name: fee", f"  {ADDED}\n  - {{name: fee")
    assert plan.checks == {}


def test_a_sort_order_changes_the_statistics(changed):
    made, plan = changed("sort_by: [subscriber_no]", "sort_by: [source]")
    assert plan.statements == (
        f"SET TBLPROPERTIES ('chudian.contract' = '{made.version}', "
        "'delta.dataSkippingStatsColumns' = 'source,call_no')",
    )


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        (
            "  - {name: note",
            "  - {name: remark",
            ("column 'note': the table has it (string), the contract does not",),
        ),
        (
            f"  {CALL_NO}",
            f"  {ADDED.replace('name_cn', 'required: true, name_cn')}\n  {CALL_NO}",
            (
                "column 'mood': the table lacks it, the contract requires a value in every row; "
                "a new column must be optional",
            ),
        ),
        (
            "type: bigint, required: true, unit: seconds",
            "type: int, required: true, unit: seconds",
            ("column 'duration_s': the table has bigint, the contract says int",),
        ),
        (
            '"decimal(12,3)"',
            '"decimal(12,4)"',
            ("column 'fee': the table has decimal(12,3), the contract says decimal(12,4)",),
        ),
        (
            "name: note, type: string",
            "name: note, required: true, type: string",
            ("column 'note': the table allows a missing value, the contract requires one",),
        ),
        (
            "key: [source, call_no]",
            "key: [source, call_no, began_at]",
            ("key: the table has source,call_no, the contract says source,call_no,began_at",),
        ),
        (
            "partition_by: [batch_date]",
            "partition_by: [batch_date, source]",
            ("partition_by: the table has batch_date, the contract says batch_date,source",),
        ),
    ],
    ids=[
        "a column that is gone",
        "a new required column",
        "a narrower number",
        "another decimal",
        "newly required",
        "another key",
        "other partitions",
    ],
)
def test_what_no_table_can_follow(changed, old, new, refused):
    _, plan = changed(old, new)
    assert plan == migration.Migration(refused=refused)
    assert migration.refusal("ods.call", plan) == "\n".join(f"ods.call: {one}" for one in refused)
