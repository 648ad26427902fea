"""Delivered lines of a call source for tests of their verdicts, and what became of each."""

from datetime import date

from schemas.config import Source
from schemas.config.source import Cadence, SourceFiles, SourceFormat

ZONE = "Asia/Shanghai"
DAY = date(2009, 5, 3)
SETS = {"channels": ["hall", "web"], "packages": ["gotone_58"], "businesses": []}
LINES = "value binary, file_name string, row_no bigint, batch_date date"
COLUMNS = ("no", "number", "other", "way", "start", "seconds", "group", "fee", "city")
GB18030 = SourceFormat(delimiter="|", encoding="gb18030")


def source(record="ods.voice_call", **changes):
    return Source(
        **{
            "id": "call",
            "record": record,
            "name_cn": "通话",
            "system": "boss",
            "cadence": Cadence(),
            "files": SourceFiles("{source}", "*.txt"),
            "format": SourceFormat(delimiter="|"),
            "timezone": ZONE,
            "columns": COLUMNS,
            "mapping": {
                "call_no": "no",
                "msisdn": "number",
                "other_party": "other",
                "direction": "way",
                "occurred_at": "try_to_timestamp(start, 'yyyyMMddHHmmss')",
                "duration_s": "seconds",
                "outcome": "'answered'",
                "dial": "'direct'",
                "toll": "'local'",
                "roaming": "'home'",
                "in_group": "`group`",
                "home_city": "city",
                "airtime_fee": "fee",
                "toll_fee": "0",
                "info_fee": "0",
            },
            "codes": {"direction": {"MO": "mo", "MT": "mt"}, "in_group": {"0": False, "1": True}},
            "exclude": {"other: a test line of the exchange": "other = '10000'"},
            "late_after_days": 1,
            **changes,
        }
    )


def line(**changes):
    cells = {
        "no": "V1",
        "number": "13800000001",
        "other": "13900000002",
        "way": "MO",
        "start": "20090503101500",
        "seconds": "61",
        "group": "0",
        "fee": "0.400",
        "city": "北京",
        **changes,
    }
    return "|".join(cells[name] for name in COLUMNS)


def unique(text, number):
    """The line with a caller of its own, so that no case is the duplicate of another."""
    whole, mine = b"13900000002", b"139%08d" % number
    return (text if isinstance(text, bytes) else text.encode()).replace(whole, mine)


class Verdicts:
    """What became of the lines, by (file, row)."""

    def __init__(self, settled):
        self.all = {(r.file_name, r.row_no): r for r in settled.validated.frame.collect()}
        self.accepted = {(r.file_name, r.row_no): r for r in settled.accepted().collect()}
        self.rejected = {(r.file_name, r.row_no): r for r in settled.rejected().collect()}
        self.counts = settled.counts()
        self.checks = [check.reason for check in settled.validated.checks]

    @property
    def duplicate(self):
        return set(self.all) - set(self.accepted) - set(self.rejected)

    def kept(self):
        return {(r.batch_date, *place) for place, r in self.accepted.items()}
