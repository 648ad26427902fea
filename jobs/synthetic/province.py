"""The synthetic province: its plan, its deliveries in the landing, its truth, its recipe.

The recipe lists all that the bytes depend on, so that an equal province is not written again.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jobs.synthetic.files import SourceFiles
from models.synthetic import chunk, truth
from models.synthetic.billing.bills import Rates
from models.synthetic.people.packages import require_packages
from models.synthetic.province import Province
from models.tariff import catalogue
from schemas.config import Config, Source
from schemas.errors import ConfigError, InputError

MARKER = "SYNTHETIC DATA"
NOTICE = f"""{MARKER}

Nothing here is about real people: names, numbers, calls, bills and contacts are made up by
`python -m jobs.synthesize` from a seed. The folder is replaced when the command is run again.
"""
TRUTH_NOTICE = (
    NOTICE
    + """
deliveries.csv   rows, bytes and sha256 of each delivered file
defects.csv      planted rows by source, data_date and defect (and missed calls, which are no
                 defect). broken, unknown_code and clock_1980 rows are bad copies of rows that are
                 also delivered correctly; duplicates are exact; late rows come 1 to 5 days late
packages.csv     true packages by days [valid_from, valid_to); a subscriber without a gprs or sms
                 package pays the standard price
numbers.csv      holder of each number over time; taken_over_from: the holder before
spells.csv       days on which a subscriber was barred
preferences.csv  true distribution of a customer's contacts over the channels
contacts.csv     contacts that happened: all; those that show a preference (enquiries, transactions,
                 complaints); complaints about the channel
bills.csv        bills as delivered. unstated_discount: a discount that the bill does not show, so
                 re-rating cannot reproduce it. joined, left, package_changed: within the month
province.json    how the province was made
"""
)


@dataclass
class Totals:
    """Numbers of records and bills, and the seconds spent on writing and rating."""

    records: int = 0
    bills: int = 0
    writing_s: float = 0.0
    rating_s: float = 0.0


def plan(conf: Config, seed: int, customers: int, first: date, last: date) -> Province:
    """The plan of a province under a configuration.

    ConfigError for impossible numbers or dates, and for missing sources or packages.
    """
    missing = [name for name in chunk.SOURCES if name not in conf.sources]
    if missing:
        raise ConfigError(f"sources: no {', '.join(missing)}: the synthetic province delivers them")
    if customers < 1:
        raise ConfigError(f"--customers {customers}: give a number of at least 1")
    if seed < 0:
        raise ConfigError(f"--seed {seed}: give a number of at least 0")
    if last <= first:
        raise ConfigError(f"--from-date {first}: give a day before the data date {last}")
    catalogue.load(conf.tariffs.values())
    province = Province(
        seed=seed,
        customers=customers,
        first=first,
        last=last,
        packages={name: document.data for name, document in conf.tariffs.items()},
        defaults=dict(conf.policy.rating.default_package),
        services={name: service.type for name, service in conf.services.items()},
        holidays=frozenset(conf.policy.calendar.holidays),
    )
    require_packages(province)
    return province


def write(
    province: Province,
    sources: Mapping[str, Source],
    landing: Path,
    truth_folder: Path,
    recipe: Mapping[str, object],
) -> Totals:
    """Write the province, replacing an earlier one. province.json of the truth is written last.

    InputError for a folder that holds other data, ConfigError for one that cannot be written.
    """
    _clear(landing, [landing / name for name in chunk.SOURCES], NOTICE)
    _clear(
        truth_folder, [*truth_folder.glob("*.csv"), truth_folder / "province.json"], TRUTH_NOTICE
    )
    totals, began = Totals(), time.perf_counter()
    planted: Counter[tuple[str, str, str]] = Counter()
    deliveries = {name: SourceFiles(landing, province, sources[name]) for name in chunk.SOURCES}
    tables = {
        name: _Table(truth_folder / f"{name}.csv", header) for name, header in truth.HEADERS.items()
    }
    rates = Rates(province)
    for number in range(province.chunks):
        life = chunk.live(province, number)
        before = time.perf_counter()
        billed = chunk.bill(province, life, rates)
        totals.rating_s += time.perf_counter() - before
        totals.bills += len(billed.bills)
        for name, rows in chunk.deliveries(province, life, billed).items():
            deliveries[name].add(rows)
            totals.records += len(rows)
            for (day, defect), count in truth.counts(name, rows).items():
                planted[name, str(province.day(day)), defect] += count
        for name, lines in truth.tables(province, life, billed).items():
            tables[name].add(lines)
    for delivery in deliveries.values():
        delivery.close()
    _write_files_table(truth_folder / "deliveries.csv", province, landing, deliveries)
    _Table(truth_folder / "defects.csv", ("source", "data_date", "defect", "rows")).add(
        (*key, planted[key]) for key in sorted(planted)
    )
    totals.writing_s = time.perf_counter() - began - totals.rating_s
    made = {**recipe, "records": totals.records, "bills": totals.bills}
    (truth_folder / "province.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return totals


def _write_files_table(
    path: Path, province: Province, landing: Path, deliveries: Mapping[str, SourceFiles]
) -> None:
    """deliveries.csv: one line per delivered file."""
    table = _Table(path, ("source", "data_date", "file", "rows", "bytes", "sha256"))
    for name, delivery in deliveries.items():
        table.add(
            (
                name,
                province.day(day),
                file.path.relative_to(landing).as_posix(),
                file.rows,
                file.size,
                file.digest.hexdigest(),
            )
            for (day, _), file in delivery.files.items()
        )


class _Table:
    """A CSV file of the truth that grows chunk by chunk."""

    def __init__(self, path: Path, header: Sequence[str]):
        self.path = path
        path.write_text(",".join(header) + "\n", encoding="utf-8")

    def add(self, rows: Iterable[Iterable[object]]) -> None:
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


def _clear(folder: Path, ours: Sequence[Path], notice: str) -> None:
    """Delete an earlier province and write the README of the folder.

    InputError for a folder that holds files of ours but is not marked as synthetic.
    """
    readme = folder / "README.txt"
    try:
        marked = readme.is_file() and readme.read_text(encoding="utf-8").startswith(MARKER)
        present = [path for path in ours if path.exists()]
        if present and not marked:
            raise InputError(
                f"{folder} holds {present[0].name} that is not synthetic: give another "
                "folder, or move it away first"
            )
        for path in present:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        readme.write_text(notice, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be written ({error.strerror}): give a folder that can"
        ) from None


def recipe_of(conf: Config, province: Province) -> dict[str, object]:
    """All that the bytes of a province depend on: its plan, the configuration, the program."""
    program = hashlib.sha256()
    here = Path(__file__).resolve()
    root = here.parents[2]
    for path in [
        *sorted(here.parent.glob("*.py")),
        *sorted((root / "models/synthetic").rglob("*.py")),
        *sorted((root / "models/reference").glob("*.py")),
    ]:
        program.update(path.read_bytes())
    return {
        "notice": MARKER,
        "customers": province.customers,
        "seed": province.seed,
        "from_date": str(province.first),
        "data_date": str(province.last),
        "configuration": conf.fingerprint,
        "program": program.hexdigest(),
    }


def is_written(landing: Path, truth_folder: Path, recipe: Mapping[str, object]) -> bool:
    """Whether the folders hold the whole province of a recipe, judged by file sizes."""
    try:
        made = json.loads((truth_folder / "province.json").read_text(encoding="utf-8"))
        if any(made.get(key) != value for key, value in recipe.items()):
            return False
        with open(truth_folder / "deliveries.csv", encoding="utf-8", newline="") as file:
            return all(
                (landing / row["file"]).stat().st_size == int(row["bytes"])
                for row in csv.DictReader(file)
            )
    except (OSError, ValueError):
        return False
