"""Write the data dictionary: every table with grain, columns, units and classification.

It is rendered from the contracts in schemas/tables, so it always equals what the night enforces.
Units of money are the currency of the configuration. With --layouts, the layout of each channel's
file is written, too, with a sample file of made-up rows.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from jobs.outbox import workbook
from jobs.runtime import arguments
from jobs.runtime.lock import guarded
from models.push import layout, sample
from schemas import config, contract
from schemas.config import Campaign, Config
from schemas.contract import Contract
from schemas.render import dictionary


def _write(out: Path, folders: tuple[Path, ...], layouts: Path | None) -> None:
    contracts = contract.load()
    conf = config.load(folders, contracts)
    contracts = contract.in_currency(contracts, conf.runtime.currency)
    text = dictionary.markdown(contracts)
    arguments.write("--out", out, text)
    print(f"{out}: {text.count(chr(10)):,} lines")
    if layouts is not None:
        _write_layouts(layouts, conf, contracts)


def _write_layouts(out: Path, conf: Config, contracts: Mapping[str, Contract]) -> None:
    """For each channel with files: `<channel>.md`, and a sample under the name of its file.

    The sample has a row for each campaign of the channel, or one of examples only, and is dated
    as the examples of the contracts are.
    """
    for channel in conf.channels.values():
        if (push := channel.push) is None:
            continue
        table = contracts[f"push.{channel.id}"]
        campaigns = [one for one in conf.campaigns.values() if channel.id in one.every_channel]
        contact = conf.policy.contacts.channels.get(channel.id)
        document = layout.markdown(channel, push, table, contact, campaigns)
        arguments.write("--layouts", out / f"{channel.id}.md", document)
        day = table.column("data_date").example
        several: list[Campaign | None] = [*campaigns] or [None]
        rows = [sample.example(table, push, channel.id, one, day) for one in several]
        body = b"".join(workbook.content(rows, push, table.table))
        arguments.write("--layouts", out / push.file_on(day), body)
        print(f"{out / channel.id}.md and {push.file_on(day)}")


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.dictionary`; returns the exit code."""
    parser = arguments.Parser(
        prog="python -m jobs.dictionary",
        description=__doc__,
        epilog="example: python -m jobs.dictionary --out build/docs/tables.md",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/docs/tables.md"),
        help="file to write (default: %(default)s)",
    )
    parser.add_argument(
        "--layouts", type=Path, metavar="DIR", help="write the layouts of the channels' files there"
    )
    parser.add_argument("--conf", metavar="DIR", **arguments.FOLDERS["conf"])

    def write() -> None:
        args = parser.parse_args(argv)
        _write(args.out, arguments.conf_folders(args.conf), args.layouts)

    return guarded(write)


if __name__ == "__main__":
    sys.exit(main())
