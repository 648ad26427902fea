"""A province made by hand: six customers, two days, six sources, every line written out."""

import gzip
import hashlib
import json
from datetime import date
from pathlib import Path

from schemas.config import Source

DAYS = (date(2009, 5, 2), date(2009, 5, 3))
SOURCES = ("customer", "subscriber", "package_subscription", "voice", "bill", "web_log")
PEOPLE = range(1, 7)
MARK = "\ufeff"
HEADER = (
    "session_id,view_no,site,login_no,enter_time,stay_s,page_title,page_level,referrer,"
    "page_kind,biz_code,action,push_id"
)


def overlay(folder: Path, sources, kept=SOURCES) -> Path:
    """A configuration folder that takes away sources that are not kept, and all campaigns but one.

    Nights of six customers need one campaign; the shared night runs all that are shipped.
    """
    folder.mkdir(parents=True)
    (folder / "overlay.yml").write_text("campaigns: {keep: [tariff_saving]}\n", encoding="utf-8")
    gone = "".join(f"{name}: null\n" for name in sources if name not in kept)
    (folder / "sources.yml").write_text(gone, encoding="utf-8")
    return folder


def deliveries() -> dict[tuple[str, date], list[list[str]]]:
    """The lines of each file by source and day; voice comes in two files a day."""
    first, second = DAYS
    people = {
        "customer": [
            f"C{n}|个人|王小{n}|男|19800101|海淀|普通|20050601|20090101000000" for n in PEOPLE
        ],
        "subscriber": [
            f"S{n}|C{n}|1380000000{n}|1000|1|20050601|010|海淀分公司|0|1|20050601000000"
            "|20991231235959|20090101000000"
            for n in PEOPLE
        ],
        "package_subscription": [
            f"S{n}|GOTONE_58|20090101|20991231|营业厅|20081228103000|20090101000000" for n in PEOPLE
        ],
    }
    made = {(name, first): [lines] for name, lines in people.items()}
    made |= {(name, second): [[]] for name in people}  # nothing changed on the second day
    made["subscriber", second] = [[MARK]]  # an empty export of a desktop: a mark and nothing more
    for day in DAYS:
        made["voice", day] = calls(day)
        made["web_log", day] = [visits(day)]
    made["bill", second] = [[f"200904|S{n}|60000|2000|58000|58000" for n in PEOPLE]]
    return made


def call(number: int, day: date, start: str = "", **changes: str) -> str:
    """A line of the voice source; each call has its own second."""
    cells = {
        "cdr_id": f"V{day:%d}{number:03}",
        "msisdn": f"1380000000{number % 6 + 1}",
        "opp_no": f"139000000{number:02}",
        "call_type": "MO",
        "start_time": start or f"{day:%Y%m%d}10{number // 60:02}{number % 60:02}",
        "duration": str(number + 1),
        "end_cause": "N",
        "toll_type": "0",
        "roam_type": "0",
        "vpmn_flag": "0",
        "opp_oper": "CMCC",
        "home_area": "010",
        "visit_area": "010",
        "base_fee": "400",
        "toll_fee": "0",
        "info_fee": "0",
        **changes,
    }
    return "|".join(cells.values())


def calls(day: date) -> list[list[str]]:
    """Sixty calls in two parts; on the second day two that are bad, two repeated and one late."""
    lines = [call(number, day) for number in range(60)]
    if day == DAYS[1]:
        lines[7] = call(7, day, call_type="XX")
        lines[8] = call(8, day, "19800106000000")
        lines[40] = lines[3]
        lines[41] = call(5, DAYS[0])
        lines[42] = call(42, day, f"{DAYS[0]:%Y%m%d}235959")
    return [[*lines[:30], "", "  "], lines[30:]]


def visits(day: date) -> list[str]:
    return [
        MARK + HEADER,
        *(
            f'W{day:%d}{n},1,portal,1380000000{n},{day} 09:00:0{n},30,"套餐, 余额",1,,查询,,done,\r'
            for n in PEOPLE
        ),
    ]


class Landing:
    """A landing folder; `write` delivers some lines anew, with a control file that agrees."""

    def __init__(self, folder: Path, sources: dict[str, Source]) -> None:
        self.folder, self.sources = folder, sources

    def write_all(self) -> "Landing":
        for (name, day), parts in deliveries().items():
            self.write(name, day, parts)
        return self

    def path(self, name: str, day: date, part: int = 0) -> Path:
        pattern = self.sources[name].files.pattern.format(yyyymmdd=f"{day:%Y%m%d}")
        return self.folder / name / str(day) / pattern.replace("*", str(part + 1))

    def control(self, name: str, day: date) -> Path:
        pattern = self.sources[name].files.control.format(yyyymmdd=f"{day:%Y%m%d}")
        return self.folder / name / str(day) / pattern

    def write(self, name: str, day: date, parts: list[list[str]], encoding: str = "") -> None:
        form, promises = self.sources[name].format, []
        for part, lines in enumerate(parts):
            content = "".join(f"{line}\n" for line in lines).encode(encoding or form.encoding)
            packed = gzip.compress(content, mtime=0) if form.compression == "gzip" else content
            path = self.path(name, day, part)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(packed)
            rows = sum(bool(line.strip().strip(MARK)) for line in lines) - form.header
            promises.append(
                {
                    "file": path.name,
                    "rows": rows,
                    "bytes": len(packed),
                    "sha256": hashlib.sha256(packed).hexdigest(),
                }
            )
        if self.sources[name].files.control:
            text = "".join(json.dumps(one) + "\n" for one in promises)
            self.control(name, day).write_text(text, encoding="utf-8")
