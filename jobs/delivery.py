"""Recall a file that a channel has got, or send the staged file of a day again.

A resent file has the next sequence number in its name and its manifest. `ops.delivery` tells both.
"""

import argparse
import sys
from datetime import UTC, datetime

from jobs.outbox import delivery
from jobs.outbox.folder import Outbox
from jobs.runtime import arguments, walk
from jobs.runtime.lock import guarded, run_of
from jobs.runtime.session import spark_session
from jobs.warehouse import delta_log
from schemas.document.violation import near_miss
from schemas.errors import ChudianError, ConfigError

TABLE = "ops.delivery"
EXAMPLES = """examples:
  python -m jobs.delivery recall --channel sms --data-date 2009-05-03
  python -m jobs.delivery resend --channel sms --data-date 2009-05-03"""


def _work(args: argparse.Namespace) -> None:
    folders = arguments.conf_folders(args.conf)
    conf, contracts, _ = walk.configuration(folders)
    if args.channel not in conf.channels:
        hint = near_miss(args.channel, conf.channels)
        raise ConfigError(f"--channel: unknown channel '{args.channel}'{hint}")
    channel, day = conf.channels[args.channel], arguments.day("--data-date", args.data_date)
    delta_log.require_ledger(args.warehouse)
    with run_of(args.warehouse) as own_id, spark_session(conf, folders) as spark:
        from jobs.warehouse.tables import Tables  # pyspark is imported once it is needed

        tables = Tables(spark, args.warehouse, contracts, own_id)
        tables.prepare([TABLE])
        known = tables.load(TABLE).where(f"data_date = '{day}'").collect()
        last = delivery.latest([row.asDict() for row in known], channel.id, day)
        if args.what == "recall":
            row = delivery.recall(channel, day, last)
        else:
            row = delivery.resend(Outbox(args.push), channel, day, last)
        tables.append(TABLE, [{**vars(row), "run_id": own_id, "told_at": datetime.now(UTC)}])
    print(f"{row.channel}: {row.file_name} (sequence {row.sequence}) is {row.state}")
    if row.because:
        raise ChudianError(f"{row.sink}: {row.because}")


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.delivery`; returns the exit code."""
    parser = arguments.bare_parser("python -m jobs.delivery", __doc__ or "", EXAMPLES, "push")
    parser.add_argument("what", choices=("recall", "resend"), help="what to do")
    parser.add_argument("--channel", required=True, metavar="C", help="the channel")
    parser.add_argument("--data-date", required=True, metavar="D", help="the day of the file")
    return guarded(lambda: _work(parser.parse_args(argv)))


if __name__ == "__main__":
    sys.exit(main())
