"""Reads a landing with plain Python, sharing nothing with the pipeline but conf/sources.yml."""

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

EVENT_TIMES = {
    "voice": "start_time",
    "message": "submit_time",
    "data": "start_time",
    "wlan": "start_time",
    "hall_log": "start_time",
    "outlet_log": "txn_time",
    "hotline_log": "start_time",
    "ivr_log": "enter_time",
    "outbound_log": "call_time",
    "sms_log": "in_time",
    "web_log": "enter_time",
    "wap_log": "enter_time",
    "terminal_log": "txn_time",
    "manager_log": "visit_time",
    "complaint": "accept_time",
    "campaign_order": "order_time",
    "campaign_feedback": "contact_time",
}
NUMBERS = {"web_log": "login_no", "campaign_order": "user_id", "campaign_feedback": "user_id"}
PLACEHOLDERS = ("", "0", "unknown", "NULL")


class Line(NamedTuple):
    """A delivered line; `cells` is None when it has not as many fields as the source."""

    day: date
    text: str
    cells: dict | None


def delivery_files(landing: Path, source) -> list[Path]:
    """The data files of a source in order of day and name; control files are not among them."""
    return sorted(
        path
        for path in (landing / source.id).rglob("*")
        if path.is_file() and path.suffix != ".ctl"
    )


def content(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def lines(landing: Path, source) -> Iterator[Line]:
    """Every line of a source after the header, in order of delivery."""
    form = source.format
    for path in delivery_files(landing, source):
        texts = content(path).decode(form.encoding).splitlines()
        for text in texts[1 if form.header else 0 :]:
            quoting = {"quotechar": form.quote} if form.quote else {"quoting": csv.QUOTE_NONE}
            cells = next(csv.reader([text], delimiter=form.delimiter, **quoting))
            whole = len(cells) == len(source.columns)
            yield Line(
                date.fromisoformat(path.parent.name),
                text,
                dict(zip(source.columns, cells, strict=True)) if whole else None,
            )


def judged(landing: Path, source, packages, subscribers) -> Iterator[tuple[str, Line]]:
    """(what is wrong with it or "plain", line) of every line, as an honest reader would say."""
    first_seen: dict[str, date] = {}
    coded = list(_file_codes(source).items())
    time = EVENT_TIMES.get(source.id)
    for line in lines(landing, source):
        cells = line.cells
        if cells is None:
            verdict = "broken"
        elif any(cells[column] and cells[column] not in known for column, known in coded):
            verdict = "unknown_code"
        elif time and cells[time].startswith("1980"):
            verdict = "clock_1980"
        elif cells.get("product_code") and cells["product_code"].lower() not in packages:
            verdict = "unknown_package"
        elif source.id in ("bill", "bill_item") and cells["user_id"] not in subscribers:
            verdict = "unknown_subscriber"
        elif line.text in first_seen:
            verdict = (
                "duplicate_within" if first_seen[line.text] == line.day else "duplicate_across"
            )
        elif time and cells[time][:10].replace("-", "")[:8] < f"{line.day:%Y%m%d}":
            verdict = "late"
        elif time and cells[NUMBERS.get(source.id, "msisdn")] in PLACEHOLDERS:
            verdict = "placeholder_number"
        else:
            verdict = "plain"
        first_seen.setdefault(line.text, line.day)
        yield verdict, line


def accepted(landing: Path, source, packages=(), subscribers=()) -> list[dict]:
    """The cells of the lines that stay."""
    good = ("plain", "late", "placeholder_number")
    return [
        line.cells
        for verdict, line in judged(landing, source, packages, subscribers)
        if verdict in good
    ]


def control_entries(landing: Path, source) -> dict[Path, dict]:
    """What the control files of a source promise, by data file."""
    promised = {}
    for path in (landing / source.id).rglob("*.ctl"):
        for text in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(text)
            promised[path.parent / entry["file"]] = entry
    return promised


def truth_table(truth: Path, name: str) -> list[dict]:
    with open(truth / f"{name}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _file_codes(source) -> dict[str, set]:
    """Codes by column of the file, where the mapping takes the column as it is and the source does
    not say what another code becomes."""
    found = defaultdict(set)
    for column, codes in source.codes.items():
        if source.mapping[column] in source.columns and "otherwise" not in codes:
            found[source.mapping[column]].update(codes)
    return found
