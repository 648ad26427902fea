"""Why a customer was or was not pushed over a channel on a night, and what that rests on.

Prints the decision with the parts of its value, the prices of what it used, the quotes, the months
and bills behind them, the contacts that the policy counted, the pushed row, its file and the
receipt, and the version of each table. Nothing is written. Spark is not started.

The customer is named in a file or on the standard input, never on the command line, because other
users of the machine see that: the customer's number at the CRM, or a phone number held on the day.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

from jobs.inquiry import asked, provenance
from jobs.pages import why_text
from jobs.runtime import arguments, contract_changes, walk
from jobs.runtime.lock import guarded, logged
from jobs.warehouse import committed
from jobs.warehouse.committed import CommittedRows
from schemas.config import Channel
from schemas.document.violation import near_miss
from schemas.errors import ConfigError

EXAMPLES = """examples:
  python -m jobs.why --customer asked.txt --channel sms --data-date 2009-05-03
  python -m jobs.why --channel hall --data-date 2009-05-03 --json < asked.txt
exit codes: 0 done; 2 unknown customer, channel, arguments or configuration; 4 no such night"""


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.why`; returns the exit code."""
    return guarded(lambda: _why(argv))


def _why(argv: list[str] | None) -> None:
    parser = arguments.bare_parser("python -m jobs.why", __doc__, EXAMPLES)
    asked.add_customer(parser)
    parser.add_argument("--channel", metavar="C", required=True, help="a channel that gets files")
    args = parser.parse_args(argv)
    day = arguments.day("--data-date", args.data_date)
    name = asked.named(args.customer)
    conf, contracts = walk.without_prices(arguments.conf_folders(args.conf))
    _require_files(args.channel, conf.channels)
    contract_changes.require_currency(args.warehouse, contracts)
    tables = CommittedRows(
        "why", args.warehouse, conf, contracts, provenance.tables_of(args.channel)
    )
    with logged(args.warehouse):
        if not tables.ledger.is_committed(provenance.DECISION, day):
            raise committed.missing("why", provenance.DECISION, day)
        about = asked.asked("why", tables, conf, name, day)
        answer = provenance.provenance(about, contracts, args.channel)
    print(
        json.dumps(answer, ensure_ascii=False, indent=1)
        if args.json
        else why_text.printed(answer, conf.runtime.currency.unit)
    )


def _require_files(channel: str, channels: Mapping[str, Channel]) -> None:
    """ConfigError for a channel that does not exist, or that nothing is pushed to."""
    pushed = [name for name, one in channels.items() if one.push is not None]
    if channel not in channels:
        raise ConfigError(f"--channel: no such channel in channels.yml{near_miss(channel, pushed)}")
    if channel not in pushed:
        raise ConfigError(
            f"--channel: {channel} gets no files, so nothing is decided for it; "
            f"those that do: {', '.join(pushed)}"
        )


if __name__ == "__main__":
    sys.exit(main())
