"""Write a synthetic province: what billing, CRM and the channels would deliver, and the truth.

The landing gets every source of the shipped configuration, from the first day to the data date, in
the form that conf/sources.yml says; the truth folder gets what only the maker can know (true
packages, preferences, planted defects). No step of the night reads it. Without this step there is
nothing to run on; real deliveries take its place.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jobs.runtime import arguments
from jobs.runtime.lock import guarded
from jobs.synthetic.files import Delivery
from models.synthetic import chunk as synthetic
from models.synthetic import truth as synthetic_truth
from models.synthetic.billing.bills import Rates
from models.synthetic.people.packages import require_packages
from models.synthetic.province import Province
from models.tariff import catalogue
from schemas import config
from schemas.config import Config, Source
from schemas.errors import ConfigError, InputError
from schemas.window import add_months, month_of, parse_date

MARKER = "SYNTHETIC DATA"
NOTICE = f"""{MARKER}

Nothing here is about real people: names, numbers, calls, bills and contacts are made up by
`python -m jobs.synthesize` from a seed. The folder is replaced when the command is run again.
"""
TRUTH_NOTICE = (
    NOTICE
    + """
deliveries.csv   rows, bytes and sha256 of each delivered file
defects.csv      planted rows by source, data_date and defect; missed calls, which are none, too.
                 broken, unknown_code and clock_1980 rows are bad copies of rows that are delivered
                 in good order as well; duplicates are exact; late rows come one to five days late
packages.csv     true packages by days [valid_from, valid_to); who has no gprs or sms package pays
                 the standard price
numbers.csv      who held which number; taken_over_from: whose it was before
spells.csv       days on which a subscriber was barred
preferences.csv  true distribution of a customer's contacts over the channels
contacts.csv     contacts that happened: all; those that show a preference (enquiries, transactions,
                 complaints); complaints about the channel
bills.csv        bills as delivered. unstated_discount: taken off without a word, so re-rating
                 cannot reproduce it. joined, left, package_changed: within the month
province.json    how the province was made
"""
)
HISTORY_MONTHS = 4


@dataclass
class Totals:
    """What was made, and the seconds it took."""

    records: int = 0
    bills: int = 0
    writing_s: float = 0.0
    rating_s: float = 0.0


def province_of(conf: Config, seed: int, customers: int, first: date, last: date) -> Province:
    """The plan of a province under a configuration; ConfigError for what cannot be."""
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


def synthesize(
    province: Province,
    sources: Mapping[str, Source],
    landing: Path,
    truth: Path,
    recipe: Mapping[str, object],
) -> Totals:
    """Write the province, replacing an earlier one; the truth's province.json comes last."""
    _clear(landing, [landing / name for name in synthetic.SOURCES], NOTICE)
    _clear(truth, [*truth.glob("*.csv"), truth / "province.json"], TRUTH_NOTICE)
    totals, planted, began = Totals(), Counter(), time.perf_counter()
    deliveries = {name: Delivery(landing, province, sources[name]) for name in synthetic.SOURCES}
    tables = {
        name: _Table(truth / f"{name}.csv", header)
        for name, header in synthetic_truth.HEADERS.items()
    }
    rates = Rates(province)
    for chunk in range(province.chunks):
        life = synthetic.live(province, chunk)
        before = time.perf_counter()
        billed = synthetic.bill(province, life, rates)
        totals.rating_s += time.perf_counter() - before
        totals.bills += len(billed.bills)
        for name, rows in synthetic.deliveries(province, life, billed).items():
            deliveries[name].add(rows)
            totals.records += len(rows)
            for (day, defect), count in synthetic_truth.counts(name, rows).items():
                planted[name, str(province.day(day)), defect] += count
        for name, rows in synthetic_truth.tables(province, life, billed).items():
            tables[name].add(rows)
    for delivery in deliveries.values():
        delivery.close()
    files = _Table(
        truth / "deliveries.csv", ("source", "data_date", "file", "rows", "bytes", "sha256")
    )
    for name, delivery in deliveries.items():
        files.add(
            (
                name,
                province.day(day),
                file.path.relative_to(landing).as_posix(),
                file.rows,
                file.bytes,
                file.digest.hexdigest(),
            )
            for (day, _), file in delivery.files.items()
        )
    _Table(truth / "defects.csv", ("source", "data_date", "defect", "rows")).add(
        (*key, planted[key]) for key in sorted(planted)
    )
    totals.writing_s = time.perf_counter() - began - totals.rating_s
    made = {**recipe, "records": totals.records, "bills": totals.bills}
    (truth / "province.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return totals


class _Table:
    """A CSV file of the truth that grows chunk by chunk."""

    def __init__(self, path: Path, header: Sequence[str]):
        self.path = path
        path.write_text(",".join(header) + "\n", encoding="utf-8")

    def add(self, rows) -> None:
        with open(self.path, "a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


def _clear(folder: Path, ours: Sequence[Path], notice: str) -> None:
    """Make room for a new province; never in a folder that holds anything but an earlier one."""
    readme = folder / "README.txt"
    try:
        marked = readme.is_file() and readme.read_text(encoding="utf-8").startswith(MARKER)
        there = [path for path in ours if path.exists()]
        if there and not marked:
            raise InputError(
                f"{folder} holds {there[0].name} that is not synthetic: give another "
                "folder, or move it away first"
            )
        for path in there:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        readme.write_text(notice, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be written ({error.strerror}): give a folder that can"
        ) from None


def recipe_of(conf: Config, province: Province) -> dict[str, object]:
    """What the bytes of a province depend on: its plan, the configuration, the program."""
    program = hashlib.sha256()
    here = Path(__file__).resolve()
    for path in [
        here,
        *sorted((here.parents[1] / "models/synthetic").rglob("*.py")),
        *sorted((here.parents[1] / "models/reference").glob("*.py")),
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


def is_there(landing: Path, truth: Path, recipe: Mapping[str, object]) -> bool:
    """Whether the folders hold the whole province of a recipe, as far as file sizes tell."""
    try:
        made = json.loads((truth / "province.json").read_text(encoding="utf-8"))
        if any(made.get(key) != value for key, value in recipe.items()):
            return False
        with open(truth / "deliveries.csv", encoding="utf-8", newline="") as file:
            return all(
                (landing / row["file"]).stat().st_size == int(row["bytes"])
                for row in csv.DictReader(file)
            )
    except (OSError, ValueError):
        return False


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise ConfigError(f"{message}; {self.prog} --help shows every option with an example")


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(
        prog="python -m jobs.synthesize",
        description=__doc__,
        epilog="example: python -m jobs.synthesize --customers 500 --seed 7 --data-date 2009-05-03",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--customers",
        type=int,
        default=2000,
        metavar="N",
        help="how many customers (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=2009,
        metavar="S",
        help="another seed, another province (default: %(default)s)",
    )
    parser.add_argument(
        "--data-date",
        default="2009-05-03",
        metavar="D",
        help="last day delivered (default: %(default)s)",
    )
    parser.add_argument(
        "--from-date",
        metavar="A",
        help="first day delivered (default: the first "
        f"of the month, {HISTORY_MONTHS} months before)",
    )
    parser.add_argument(
        "--landing",
        type=Path,
        default=Path("build/landing"),
        metavar="DIR",
        help="where the files go (default: %(default)s)",
    )
    parser.add_argument(
        "--truth",
        type=Path,
        default=Path("build/truth"),
        metavar="DIR",
        help="where the truth goes (default: %(default)s)",
    )
    parser.add_argument(
        "--conf",
        action="append",
        type=Path,
        metavar="DIR",
        help="configuration folder; repeatable, later ones overlay earlier ones",
    )
    return parser.parse_args(words)


def run(words: Sequence[str] | None = None) -> None:
    """The command: checks, writes, prints what was made."""
    asked = _arguments(words)
    last = parse_date(asked.data_date)
    first = (
        parse_date(asked.from_date)
        if asked.from_date
        else add_months(month_of(last), -HISTORY_MONTHS)
    )
    conf = config.load(arguments.conf_folders(asked.conf))
    missing = [name for name in synthetic.SOURCES if name not in conf.sources]
    if missing:
        raise ConfigError(f"sources: no {', '.join(missing)}: the synthetic province delivers them")
    province = province_of(conf, asked.seed, asked.customers, first, last)
    recipe = recipe_of(conf, province)
    name = (
        f"synthetic province of {province.customers:,} customers, seed {province.seed}, "
        f"{first} to {last}"
    )
    if is_there(asked.landing, asked.truth, recipe):
        print(f"{name}: already in {asked.landing}")
        return
    totals = synthesize(province, conf.sources, asked.landing, asked.truth, recipe)
    print(f"{name}: {asked.landing}, truth in {asked.truth}")
    print(
        f"  {totals.records:,} records made and written in {totals.writing_s:.1f} s "
        f"({totals.records / totals.writing_s:,.0f} a second); "
        f"{totals.bills:,} bills rated in {totals.rating_s:.1f} s"
    )


if __name__ == "__main__":
    sys.exit(guarded(run))
