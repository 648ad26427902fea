"""A contract that makes no sense is refused with the file and line of the mistake."""

import pytest

from schemas import contract
from schemas.errors import ConfigError

CALL = "ods/call.yml"

# case in words, text of ods/call.yml, its replacement, what the message says
MISTAKES = [
    (
        "unknown key of the table",
        "retention_days: 400",
        "retention_day: 400",
        "unknown key, did you mean 'retention_days'?",
    ),
    (
        "unknown key of a column",
        "max_length: 5",
        "max_lenght: 5",
        "unknown key, did you mean 'max_length'?",
    ),
    ("a key twice", "sort_by: [subscriber_no]", "slice: batch_date", "duplicate key"),
    (
        "layer that does not exist",
        "table: ods.call",
        "table: odd.call",
        "expected a name like ods.voice_call",
    ),
    (
        "name of another file",
        "table: ods.call",
        "table: ods.calls",
        "expected 'ods.call', from the file's layer and name; got 'ods.calls'",
    ),
    ("unknown type", "type: bigint", "type: bigit", "unknown type 'bigit', did you mean 'bigint'?"),
    (
        "a type that raises the reader version",
        "type: timestamp,",
        "type: timestamp_ntz,",
        "unknown type 'timestamp_ntz', did you mean 'timestamp'?",
    ),
    ("scale above precision", '"decimal(12,3)"', '"decimal(3,12)"', "unknown type 'decimal(3,12)'"),
    (
        "type left open",
        "array<struct<no:int,fee:decimal(5,2)>>",
        "array<struct<no:int>",
        "unknown type 'array<struct<no:int>'",
    ),
    ("unknown type inside", "no:int", "no:integer", "unknown type 'integer', did you mean"),
    ("a field twice", "no:int,fee:decimal(5,2)", "no:int,no:int", "unknown type 'array<struct"),
    (
        "an open end that is required",
        "{name: began_at, type: timestamp,",
        "{name: began_at, type: timestamp, open_end: true, required: true,",
        "began_at: an open end is null: the column must be optional",
    ),
    (
        "an open end that is no day",
        "{name: subscriber_no, type: string,",
        "{name: subscriber_no, type: string, open_end: true,",
        "subscriber_no: only a date or a timestamp ends an interval; got the type string",
    ),
    ("a binary float", "type: double, unit: score", "type: double", "a binary float is refused"),
    (
        "money in a binary float",
        "type: double, unit: score",
        "type: float, unit: yuan",
        "a binary float is refused",
    ),
    ("a binary float inside", "fee:decimal(5,2)", "fee:double", "a binary float is refused"),
    ("yuan as a whole number", "unit: seconds", "unit: yuan", "yuan needs a type decimal(p,s)"),
    ("unknown unit", "unit: seconds", "unit: second", "did you mean 'seconds'?"),
    (
        "a month that is no date",
        "type: string, name_cn: 备注",
        "type: string, unit: month, name_cn: 备注",
        "month is the first day of a month and needs the type date",
    ),
    ("column twice", "name: note", "name: fee", "the column 'fee' is defined twice, first at"),
    (
        "file to include missing",
        "include: [delivered]",
        "include: [deliverd]",
        "no file _deliverd.yml in ods, did you mean 'delivered'?",
    ),
    (
        "dangling key",
        "key: [source, call_no]",
        "key: [source, call_nr]",
        "no column 'call_nr', did you mean 'call_no'?",
    ),
    (
        "a stand-in for what is not in the key",
        "key: [source, call_no]",
        "key_without: {call_nr: [fee]}\nkey: [source, call_no]",
        "the key has no 'call_nr', did you mean 'call_no'?",
    ),
    (
        "a dangling stand-in",
        "key: [source, call_no]",
        "key_without: {call_no: [fees]}\nkey: [source, call_no]",
        "no column 'fees', did you mean 'fee'?",
    ),
    (
        "longer than what is kept for ever",
        "retention_days: 400",
        "kept_longer: {column: direction, values: [mo], days: 500}\nretention_days: null",
        "the other rows are never deleted: the table needs a slice and retention_days",
    ),
    (
        "longer that is not longer",
        "retention_days: 400",
        "kept_longer: {column: direction, values: [mo], days: 400}\nretention_days: 400",
        "400 days are not longer than retention_days, 400",
    ),
    (
        "longer by a dangling column",
        "retention_days: 400",
        "kept_longer: {column: directon, values: [mo], days: 500}\nretention_days: 400",
        "no column 'directon', did you mean 'direction'?",
    ),
    (
        "longer by a column that may be empty",
        "retention_days: 400",
        "kept_longer: {column: channel, values: [hall], days: 500}\nretention_days: 400",
        "'channel' must be required, with its values in the contract (allowed)",
    ),
    (
        "longer by a value that the column never has",
        "retention_days: 400",
        "kept_longer: {column: direction, values: [mt], days: 500}\nretention_days: 400",
        "'mt' is no value of direction",
    ),
    (
        "dangling partition",
        "partition_by: [batch_date]",
        "partition_by: [batch_day]",
        "no column 'batch_day', did you mean 'batch_date'?",
    ),
    ("dangling slice", "slice: batch_date", "slice: data_date", "no column 'data_date'"),
    (
        "dangling sort",
        "sort_by: [subscriber_no]",
        "sort_by: [subscriber]",
        "no column 'subscriber', did you mean 'subscriber_no'?",
    ),
    (
        "reference to no table",
        "references: dw.subscriber.",
        "references: ods.subscriber.",
        "no column 'ods.subscriber.subscriber_no', did you mean 'dw.subscriber.subscriber_no'?",
    ),
    (
        "reference to no column",
        "references: dw.subscriber.subscriber_no",
        "references: dw.subscriber.subscriber_nr",
        "no column 'dw.subscriber.subscriber_nr'",
    ),
    (
        "reference to another type",
        "references: dw.subscriber.subscriber_no",
        "references: dw.subscriber.data_date",
        "dw.subscriber.data_date is of type date, not string",
    ),
    (
        "partition without a value",
        "partition_by: [batch_date]",
        "partition_by: [batch_date, channel]",
        "'channel' is not required",
    ),
    ("key without an order", "key: [source, call_no]", "key: [source, steps]", "has no order"),
    (
        "sorted by what is the same",
        "sort_by: [subscriber_no]",
        "sort_by: [batch_date]",
        "constant within a partition",
    ),
    (
        "limit as a binary float",
        'min: "-0.5"',
        "min: -0.5",
        'an amount as text like "0.40"; got -0.5',
    ),
    (
        "limit finer than the type",
        'max: "99.999"',
        'max: "99.9999"',
        "an amount that decimal(12,3) holds exactly",
    ),
    ("empty range", "min: 0, max: 86400", "min: 86401, max: 86400", "the range is empty"),
    ("limit of a text", "max_length: 5", "max: 5", "only numbers and dates may have max"),
    (
        "limit of another type",
        "min: 1987-11-18",
        "min: 1987",
        "expected a value of type date like 2009-05-03; got 1987",
    ),
    (
        "date in another notation",
        "min: 1987-11-18",
        "min: 1987/11/18",
        "expected a value of type date like 2009-05-03; got '1987/11/18'",
    ),
    ("allowed numbers", "min: 0, max: 86400", "allowed: channels", "only text may have allowed"),
    ("unknown set", "allowed: channels", "allowed: chanels", "did you mean 'channels'?"),
    ("nothing allowed", 'allowed: [mo, "m\'t"]', "allowed: []", "at least 1 of them"),
    ("allowed twice", 'allowed: [mo, "m\'t"]', "allowed: [mo, mo]", "each value once"),
    ("broken pattern", "[A-Z]\\\\d+", "[A-Z", "not a regular expression"),
    (
        "unknown class of person's data",
        "example: V1",
        "personal: phone, example: V1",
        "expected one of number",
    ),
    ("example missing", ", example: hall", "", "the key 'example' is missing"),
    ("required without an example", "example: 61", "example: null", "a required column needs"),
    (
        "example of another type",
        "example: 61",
        'example: "61"',
        "expected a value of type bigint; got '61'",
    ),
    (
        "example too big for the type",
        "example: 61",
        "example: 9223372036854775808",
        "expected a value of type bigint",
    ),
    ("true is no number", "example: 61", "example: true", "expected a value of type bigint"),
    ("example below min", "example: 61", "example: -1", "expected a value between min and max"),
    ("example above max", "example: 61", "example: 86401", "expected a value between min and max"),
    ("amount that is no text", 'example: "0.800"', "example: 0.800", "an amount as text"),
    ("amount that is no number", 'example: "0.800"', 'example: "NaN"', "an amount as text"),
    ("example not allowed", '"m\'t"]', '"m\'t"], example: fwd', "expected one of mo, m't"),
    ("example off the pattern", "example: V1", "example: V1x", "expected text that matches"),
    ("example too long", "example: 备注", "example: abcdef", "expected at most 5 characters"),
    (
        "example within a month",
        "example: 2009-04-01",
        "example: 2009-04-02",
        "expected the first day of a month",
    ),
    ("instant without an offset", "00:30:00+08:00", "00:30:00", "an instant with its offset"),
    ("example of another struct", 'fee: "0.10"', 'fees: "0.10"', "expected a value of type struct"),
]


@pytest.mark.parametrize(
    ("old", "new", "says"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES]
)
def test_refused_with_file_and_line(load, files, old, new, says):
    assert files[CALL].count(old) == 1
    place = files[CALL][: files[CALL].index(old)].count("\n") + 1
    files[CALL] = files[CALL].replace(old, new)
    with pytest.raises(ConfigError) as caught:
        load(files)
    lines = [line for line in str(caught.value).splitlines() if says in line]
    assert lines, caught.value
    assert f"{CALL}:{place}: " in lines[0], caught.value


def test_a_mistake_in_an_included_file_is_named_there(load, files):
    files["ods/_delivered.yml"] = files["ods/_delivered.yml"].replace("type: date", "type: day")
    with pytest.raises(ConfigError, match=r"ods/_delivered\.yml:3: .*unknown type 'day'"):
        load(files)


def test_a_column_twice_is_named_at_both_places(load, files):
    files[CALL] = files[CALL].replace("name: note", "name: source")
    with pytest.raises(
        ConfigError,
        match=r"ods/_delivered\.yml:2: .*the column 'source' is defined "
        r"twice, first at .*ods/call\.yml:20",
    ):
        load(files)


def test_an_unknown_key_in_an_included_file_is_named_there(load, files):
    files["ods/_delivered.yml"] = "column: []\n" + files["ods/_delivered.yml"]
    with pytest.raises(ConfigError, match=r"ods/_delivered\.yml:1: .*unknown key"):
        load(files)


def test_a_domain_takes_included_files_from_its_layer(load, files):
    files["ods/usage/call.yml"] = files.pop(CALL)
    assert load(files)["ods.call"].column_names[-2:] == ("source", "batch_date")


def test_a_table_has_one_contract_in_its_layer(load, files):
    files["ods/usage/call.yml"] = files[CALL]
    with pytest.raises(
        ConfigError,
        match=r"ods/usage/call\.yml: ods\.call already has the contract .*ods/call\.yml: keep one",
    ):
        load(files)


def test_a_snapshot_has_its_slice_in_the_key(load, files):
    files["dw/customer/subscriber.yml"] = files["dw/customer/subscriber.yml"].replace(
        "key: [data_date, subscriber_no]", "key: [subscriber_no]"
    )
    with pytest.raises(
        ConfigError, match=r"dw/customer/subscriber\.yml:5: key: 'data_date' is missing"
    ):
        load(files)


def test_a_slice_is_a_partition(load, files):
    files["dw/customer/subscriber.yml"] = files["dw/customer/subscriber.yml"].replace(
        "partition_by: [data_date]", "partition_by: [subscriber_no]"
    )
    with pytest.raises(
        ConfigError,
        match=r"dw/customer/subscriber\.yml:7: slice: 'data_date' is not in "
        r"partition_by",
    ):
        load(files)


def test_a_slice_is_cut_by_a_date(load, files):
    files["dw/customer/subscriber.yml"] = (
        files["dw/customer/subscriber.yml"]
        .replace("data_date, type: date", "data_date, type: string")
        .replace("example: 2009-05-03", "example: today")
    )
    with pytest.raises(
        ConfigError,
        match=r"dw/customer/subscriber\.yml:7: slice: 'data_date' is of type "
        r"string; a slice column is a date",
    ):
        load(files)


def test_rules_that_do_not_fit_a_verdict_are_refused(load, files):
    column = "  - {name: c%d, type: int, required: true, name_cn: 列, description: d, example: 1}\n"
    free = 60 - 13  # the small contract has 13, the set of channels among them
    full = files[CALL] + "".join(column % number for number in range(free))
    assert "ods.call" in load({**files, CALL: full})
    more = full + column % free
    with pytest.raises(
        ConfigError, match=r"ods/call\.yml:11: columns: 61 row rules; .* at most 60"
    ):
        load({**files, CALL: more})


def test_every_problem_of_every_file_is_listed(load, files):
    files[CALL] = (
        files[CALL].replace("type: bigint", "type: bigit").replace("type: boolean", "type: bool")
    )
    files["dw/customer/subscriber.yml"] = files["dw/customer/subscriber.yml"].replace(
        "slice: data_date", "slice: x"
    )
    with pytest.raises(ConfigError) as caught:
        load(files)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0].split("/tables/")[1] for line in lines] == [
        "ods/call.yml:16",
        "ods/call.yml:24",
        "dw/customer/subscriber.yml:7",
    ]


def test_a_folder_without_contracts_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no contract <layer>/<domain>/<table>.yml below it"):
        contract.load(tmp_path)
    with pytest.raises(ConfigError, match="nowhere: no contract"):
        contract.load(tmp_path / "nowhere")


def test_a_table_needs_columns(load, files):
    text = files["dw/customer/subscriber.yml"]
    files["dw/customer/subscriber.yml"] = text[: text.index("columns:")] + "columns: []\n"
    with pytest.raises(ConfigError, match=r"dw/customer/subscriber\.yml:10: columns: .*no columns"):
        load(files)


def test_an_unknown_column_is_named_with_the_nearest(call):
    with pytest.raises(
        ConfigError, match="ods.call has no column 'dutation_s', did you mean 'duration_s'"
    ):
        call.column("dutation_s")
