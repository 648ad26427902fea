"""The common columns of a contact, and for each kind of record the SQL that gives them.

Plain text, without Spark: SQL over the columns of the record. Usually a record is a contact. The
steps of a voice-menu call and the pages of a session are several rows of one contact: rows with the
same value of `one_per` are one contact, and the expressions are aggregates.

One call is one contact. A call that leaves the voice menu for an agent is in the agents' log,
answered or not, and is counted there. A call that ended in the menu, or came back to it because all
agents were busy, is a contact of the channel ivr. A contact of several rows belongs to the delivery
of its first row. Its rows in other deliveries count within the look-back of their source, because
midnight cuts calls and sessions in two.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# The common columns with their types. A column that a log does not give is NULL.
COLUMNS = {
    "source_record": "string",
    "msisdn": "string",
    "channel": "string",
    "direction": "string",
    "kind": "string",
    "business_code": "string",
    "occurred_at": "timestamp",
    "local_date": "date",
    "duration_s": "bigint",
    "result": "string",
    "about_channel": "string",
    "location": "string",
    "campaign_id": "string",
    "wave": "int",
}
# Columns of a record that already have the common name.
SAME_NAMES = {
    "msisdn": "msisdn",
    "kind": "kind",
    "business_code": "business_code",
    "occurred_at": "occurred_at",
    "local_date": "local_date",
}


@dataclass(frozen=True)
class ContactLog:
    """How the rows of one kind of record become contacts.

    `columns`: common column → SQL. `one_per`: the column whose value the rows of a contact share;
    None if a row is a contact. `first`: SQL that is true for the first row of a contact. `counted`:
    SQL aggregate that is false if the rows are no contact of this channel.
    """

    columns: Mapping[str, str]
    one_per: str | None = None
    first: str = "true"
    counted: str = "true"


def _first(column: str, order: str) -> str:
    return f"min_by({column}, CASE WHEN {column} IS NOT NULL THEN {order} END)"


def _last(column: str, order: str) -> str:
    return f"max_by({column}, CASE WHEN {column} IS NOT NULL THEN {order} END)"


def _steps(order: str) -> dict[str, str]:
    """Common columns of a contact of several rows, ordered by `order`.

    The number is the first one known; the business is the last one reached.
    """
    return {
        "msisdn": _first("msisdn", order),
        "direction": "'in'",
        "business_code": _last("business_code", order),
        "occurred_at": "min(occurred_at)",
        "local_date": "min(local_date)",
    }


VIEWS = _steps("view_no") | {
    "source_record": "session_no",
    # A visitor who did nothing else but look at pages made a query.
    "kind": f"coalesce({_last('kind', 'view_no')}, 'query')",
    "duration_s": "sum(stay_s)",
    "result": "CASE max_by(action, view_no) WHEN 'done' THEN 'success' WHEN 'fail' THEN 'failed' "
    "WHEN 'apply' THEN 'abandoned' END",
    "location": _last("page", "view_no"),
}

LOGS = {
    "ods.contact": ContactLog(
        SAME_NAMES
        | {
            "source_record": "contact_no",
            "channel": "channel",
            "direction": "direction",
            "duration_s": "duration_s",
            "result": "result",
            "location": "location",
            "campaign_id": "campaign_id",
            "wave": "wave",
        }
    ),
    "ods.hall_transaction": ContactLog(
        SAME_NAMES
        | {
            "source_record": "transaction_no",
            "channel": "hall_type",
            "direction": "'in'",
            "duration_s": "duration_s",
            "result": "result",
            "location": "hall_no",
        }
    ),
    "ods.outlet_transaction": ContactLog(
        SAME_NAMES
        | {
            "source_record": "transaction_no",
            "channel": "outlet_type",
            "direction": "'in'",
            "result": "result",
            "location": "outlet_no",
        }
    ),
    "ods.agent_call": ContactLog(
        SAME_NAMES
        | {
            "source_record": "call_no",
            "channel": "'hotline'",
            "direction": "'in'",
            "duration_s": "talk_s",
            "result": "CASE WHEN NOT connected THEN 'abandoned' WHEN resolved THEN 'success' "
            "WHEN NOT resolved THEN 'failed' END",
        }
    ),
    "ods.ivr_step": ContactLog(
        _steps("step_no")
        | {
            "source_record": "call_no",
            "channel": "'ivr'",
            "kind": f"coalesce({_last('kind', 'step_no')}, 'query')",
            "duration_s": "unix_timestamp(max(left_at)) - unix_timestamp(min(occurred_at))",
            "result": "CASE WHEN count(business_code) > 0 AND NOT coalesce(bool_or(agent_busy), "
            "false) THEN 'success' ELSE 'abandoned' END",
            "location": "max_by(node, step_no)",
        },
        one_per="call_no",
        first="step_no = 1",
        counted="NOT bool_or(to_agent AND NOT coalesce(agent_busy, false))",
    ),
    "ods.outbound_call": ContactLog(
        SAME_NAMES
        | {
            # Calling out is a function of the telephone hall (positioning, 7-01b).
            "source_record": "call_no",
            "channel": "'hotline'",
            "direction": "'out'",
            "duration_s": "talk_s",
            "campaign_id": "campaign_id",
            "wave": "wave",
            "result": "CASE WHEN outcome = 'accepted' THEN 'success' WHEN outcome IN ('busy', "
            "'no_answer') THEN 'not_reached' ELSE 'failed' END",
        }
    ),
    "ods.sms_hall_message": ContactLog(
        SAME_NAMES
        | {
            "source_record": "message_no",
            "channel": "'sms'",
            "direction": "direction",
            "campaign_id": "campaign_id",
            "result": "CASE WHEN NOT recognised THEN 'unrecognised' WHEN reply_code = '0000' "
            "THEN 'success' ELSE 'failed' END",
        }
    ),
    "ods.web_view": ContactLog(
        VIEWS | {"channel": "'web'"}, one_per="session_no", first="view_no = 1"
    ),
    "ods.wap_view": ContactLog(
        VIEWS | {"channel": "'wap'"}, one_per="session_no", first="view_no = 1"
    ),
    "ods.terminal_transaction": ContactLog(
        SAME_NAMES
        | {
            "source_record": "transaction_no",
            "channel": "'terminal'",
            "direction": "'in'",
            "result": "result",
            "location": "coalesce(location, terminal_no)",
        }
    ),
    "ods.manager_contact": ContactLog(
        SAME_NAMES
        | {
            "source_record": "contact_no",
            "channel": "'customer_manager'",
            # The manager starts care and marketing; for all else the customer came to the manager.
            "direction": "CASE WHEN kind IN ('care', 'marketing') THEN 'out' ELSE 'in' END",
            "duration_s": "duration_s",
            "result": "result",
        }
    ),
    # A complaint is a contact of the channel over which it came. Its type is the business code.
    "ods.complaint": ContactLog(
        SAME_NAMES
        | {
            "source_record": "complaint_no",
            "channel": "channel",
            "direction": "'in'",
            "kind": "'complaint'",
            "business_code": "complaint_type",
            "about_channel": "about_channel",
        }
    ),
}
OF_SEVERAL_ROWS = tuple(table for table, log in LOGS.items() if log.one_per is not None)
