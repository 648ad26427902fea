"""Usage at the edges, from landing to cube: the largest and smallest values, calls across a clock
change, people who left on a day that cannot be read.

The sums of the cube are by hand: nothing wraps, overflows or is rounded, and each second of a call
is in the band of its own local time.
"""

from datetime import date

import pytest

from schemas import config
from tests.given.paths import CONF
from tests.given.tiny_nights import TinyNights
from tests.given.tiny_province import call, deliveries, overlay
from tests.readers.warehouse_reader import query

DAY, MARCH = date(2009, 4, 3), date(2009, 3, 1)
PEOPLES = ("customer", "subscriber", "package_subscription")
SOURCES = (*PEOPLES, "voice", "message", "data", "wlan")
READ_SO = """
voice: {timezone: America/New_York, rounding: {duration_s: ceil}}
wlan: {timezone: America/New_York}
message: {mapping: {fee: "try_cast(comm_fee as decimal(20,6)) * 0.001"}}
subscriber: {rejects: {warn_share: "0.05", stop_share: "0.5"}}
"""
TARIFF = """
id: by_the_clock
name: 按时段
kind: voice
brands: [gotone]
valid: {from: 2009-01-01, to: 2010-01-01}
source: assumed
monthly_fee: "0"
partial_month: none
bands: {night: [{days: all, from: "00:00", to: "03:00"}]}
band_policy: split
rules:
  - {component: airtime, match: {band: night}, rate: "0.001", per: 1s, increment: [1, 1]}
  - {component: airtime, rate: "0.01", per: 1s, increment: [1, 1]}
  - {component: toll, rate: "0", per: 60s, increment: [60, 60]}
rounding: {at: none}
"""
# On 2009-03-08 in New York 2:00 is 3:00. Start and seconds of a call; seconds by night and by day.
ACROSS = {
    "13800000001": ("20090308015930", "120", (30, 90)),  # .93 yuan
    "13800000002": ("20090308005930", "120", (120, 0)),
    "13800000003": ("20090309015930", "120", (120, 0)),
    "13800000004": ("20090307235930", "10860", (7200, 3660)),
}
CALL_S, SESSION_S, BYTES, SIZE = 31 * 86_400, 366 * 86_400, 10**12, 2**63 - 1
LI = 10**12 - 1  # 厘: the largest fee of a record
NUMBER = "13800000005"
FEES = dict.fromkeys(("base_fee", "toll_fee", "info_fee"), str(LI))
LARGE_CALLS = [
    call(number, MARCH, start, msisdn=NUMBER, duration=str(CALL_S), **FEES)
    for number, start in enumerate(("20090301000000", "20090307193000", "20090331235959"))
]
PARTS = [
    f"D1|GGSN1|{NUMBER}|CMNET|{start}|{SESSION_S}|{BYTES}|{BYTES}|0|{LI}"
    for start in ("20090302100000", "20090302110000", "20090302120000")
]
SESSIONS = [
    f"L{number}|{NUMBER}|1|HB-1|{start}|20100401000000|{SESSION_S}|{BYTES}|{BYTES}||1|{LI}|{LI}"
    for number, start in enumerate(("20090302100000", "20090302110000"))
]
# Two who left in March, on days that cannot be read.
LEFT = {"13800000007": "31/03/2009", "13800000008": "2009-02-30"}
LEAVERS = [
    f"S{number[-1]}|C1|{number}|1000|9|20050601|010|海淀分公司|0|1|20050601000000|{end}|20090401000000"
    for number, end in LEFT.items()
]
SMALL = "13800000006"  # a thousand messages of .0004 yuan, and a call of 6.9 s
MESSAGES = [
    f"M1|{NUMBER}|13911111111|11|0|20090302100000|{SIZE}|0|{LI}|{LI}",
    *(f"M1{n:03}|{SMALL}|13911111111|11|0|20090302100000|1|0|0.4|0" for n in range(1000)),
]


@pytest.fixture(scope="module")
def edges(spark, tmp_path_factory):
    folder = tmp_path_factory.mktemp("edges")
    shipped = config.load([CONF]).sources
    conf = overlay(folder / "conf", shipped, SOURCES)
    with (conf / "sources.yml").open("a", encoding="utf-8") as sources:
        sources.write(READ_SO)
    (conf / "tariffs").mkdir()
    (conf / "tariffs" / "by_the_clock.yml").write_text(TARIFF, encoding="utf-8")
    made = TinyNights(folder, shipped, conf)
    across = [
        call(100 + number, DAY, start, msisdn=msisdn, duration=seconds)
        for number, (msisdn, (start, seconds, _)) in enumerate(ACROSS.items())
    ]
    across += [
        call(200 + number, DAY, "20090403100000", msisdn=msisdn)
        for number, msisdn in enumerate(LEFT)
    ]
    across.append(call(300, DAY, "20090403100000", msisdn=SMALL, duration="6.9", base_fee="0"))
    people = {name: deliveries()[name, date(2009, 5, 2)] for name in PEOPLES}
    people["subscriber"] = [[*people["subscriber"][0], *LEAVERS]]
    usage = {"voice": [LARGE_CALLS, across], "data": [PARTS], "wlan": [SESSIONS]}
    for name, parts in {**people, **usage, "message": [MESSAGES]}.items():
        made.landing.write(name, DAY, parts)
    assert made.run("ingest,identity,usage_day", DAY) == 0
    return made


def test_the_largest_values_are_accepted_and_added_up(edges):
    found = query(
        edges.warehouse,
        f"""
        SELECT service, sum(events), sum(quantity), sum(airtime_fee), sum(toll_fee), sum(other_fee)
        FROM d JOIN c USING (cell_id) JOIN i USING (subscriber_id) WHERE msisdn = '{NUMBER}'
        GROUP BY 1 ORDER BY 1""",
        d="dw.usage_day",
        c="dw.rating_cell",
        i="dw.subscriber_identity",
    )
    assert found == [
        ("data", 1, 6 * BYTES, 3000 * LI, 0, 0),  # fees in micro-yuan
        ("sms", 1, 1, 1000 * LI, 0, 1000 * LI),
        ("voice", 3, 3 * CALL_S, 3000 * LI, 3000 * LI, 3000 * LI),
        ("wlan", 2, 2 * SESSION_S, 2000 * LI, 0, 0),
    ]
    assert query(
        edges.warehouse,
        "SELECT count(*) FROM t WHERE source <> 'subscriber'",
        t="ops.rejected_record",
    ) == [(0,)]


def test_a_thousand_fees_of_less_than_a_thousandth_are_not_lost(edges):
    found = query(
        edges.warehouse,
        f"""
        SELECT service, sum(events), sum(quantity), sum(airtime_fee)
        FROM d JOIN c USING (cell_id) JOIN i USING (subscriber_id) WHERE msisdn = '{SMALL}'
        GROUP BY 1 ORDER BY 1""",
        d="dw.usage_day",
        c="dw.rating_cell",
        i="dw.subscriber_identity",
    )
    assert found == [("sms", 1000, 1000, 400_000), ("voice", 1, 7, 0)]


def test_the_ledger_keeps_what_rounding_added(edges):
    assert query(
        edges.warehouse,
        "SELECT source, rounding FROM l WHERE state = 'committed' AND rounding IS NOT NULL",
        l="ops.run_ledger",
    ) == [("voice", '{"duration_s": "0.1"}')]


def test_who_left_on_a_day_that_cannot_be_read_keeps_no_later_call(edges):
    assert query(
        edges.warehouse,
        "SELECT reasons, count(*) FROM t GROUP BY ALL",
        t="ops.rejected_record",
    ) == [(["valid_to: present but not readable as timestamp"], 2)]
    calls = "SELECT count(*) FROM v WHERE msisdn IN ('13800000007', '13800000008')"
    assert query(edges.warehouse, calls, v="ods.voice_call") == [(2,)]
    rated = "SELECT count(DISTINCT msisdn), max(msisdn) FROM d JOIN i USING (subscriber_id)"
    assert query(edges.warehouse, rated, d="dw.usage_day", i="dw.subscriber_identity") == [
        (6, SMALL)
    ]


def test_the_rest_of_a_call_is_in_the_band_of_the_new_local_time(edges):
    rows = query(
        edges.warehouse,
        """
        SELECT msisdn, json_extract_string(definition, '$.part[0]'), sum(billed[measure_no])
        FROM d JOIN i USING (subscriber_id) JOIN c USING (cell_id) JOIN m USING (service)
        WHERE definition LIKE '%"night"%' AND definition LIKE '%10800%'
        GROUP BY ALL""",
        d="dw.usage_day",
        i="dw.subscriber_identity",
        c="dw.rating_cell",
        m="dw.rating_measure",
    )
    units = {(number, band): seconds for number, band, seconds in rows}
    assert {number: (units[number, "night"], units[number, "off_peak"]) for number in ACROSS} == {
        number: parts for number, (*_, parts) in ACROSS.items()
    }
    assert units[NUMBER, "night"] + units[NUMBER, "off_peak"] == 3 * CALL_S
