"""Every night: ingest the day's deliveries, re-rate, decide, write one push file per channel.

The tasks are the Spark applications of the plan, in its order. `python -m jobs.night --list` shows
them, and the tables that each step reads and writes. A run is a function of its data_date and may
be repeated: it replaces what it wrote and leaves equal tables and files.

There are no retries. The last line in the log of a failed task gives the reason. Its exit code says
what to mend: 2 the configuration, 3 the quality of the data, 4 a delivery that is missing or
incomplete. Mend that and clear the task; the tasks after it follow.

`submission.py` describes what every DAG here needs (environment, connection, pool, variables).
Beside the folders, a run has

- environment `PYTHONPATH`: the project's folder, also for the triggerer, which waits for deliveries
- parameter `data_date`: the day whose deliveries are ingested (default: the day before the run)
- parameter `wait_minutes`: how long to wait for the day's deliveries before the run fails with the
  list of the missing ones (default: six hours); the run does not wait for optional sources
- parameter `accept_rejects`: why deliveries may pass their thresholds in this run; the ledger keeps
  the reason (default: they may not)
- parameter `from_date`: the first day of a range that ends with `data_date`, to load a history or
  repeat some nights in one go (default: one night)
"""

from airflow.sdk import CronTriggerTimetable, Param, dag

from dags.arrival import DeliverySensor
from dags.submission import (
    CHOSEN,
    CONF,
    DATE,
    FOLDERS,
    OPTIONAL_DATE,
    OPTIONAL_TEXT,
    USUAL,
    application,
    data_date,
    folder,
    own_folders,
)
from jobs.plan.night import night
from jobs.plan.selection import applications
from jobs.plan.step import Step

WAIT_MINUTES = 6 * 60  # a delivery later than noon is for a person to decide about
EVERY_MORNING = "0 6 * * *"  # in the configured zone: by then the day before has arrived

IMPACT = {
    "ingest": "Nothing of the night exists. Yesterday's tables stay valid and no channel gets a "
    "file. The usual cause is a late or damaged delivery: ask its system to send it again.",
    "views": "The deliveries are in, but nobody knows whose numbers they are: no contact view, no "
    "usage, no decisions, no push files.",
    "rating": "Contacts are up to date. The night's records are in no month. On a closing day "
    "there are no quotes and recommendations for the month that closes. No push files.",
    "decision": "All analysis is done, but no channel knows its targets of today: the hall, the "
    "hotline, SMS and the web work without new targets.",
}


ACCEPT_REJECTS = (
    "{{ '--accept-rejects=' ~ params.accept_rejects if params.accept_rejects else '' }}"
)


def day_of_run() -> tuple[str, str]:
    """Templates of the first and last day that a run ingests."""
    day = "ti.xcom_pull(task_ids='data_date')"
    return f"{{{{ params.from_date or {day} }}}}", f"{{{{ {day} }}}}"


def deliveries_task() -> DeliverySensor:
    """Waits for the deliveries of the night."""
    first, last = day_of_run()
    return DeliverySensor(
        task_id="deliveries",
        conf_folders=CHOSEN,
        landing=folder("landing"),
        first=first,
        last=last,
        wait_minutes="{{ params.wait_minutes }}",
        doc_md="**When it fails:** a delivery is missing or incomplete. The end of the log says "
        "which one, what was expected and since when. Nothing has been touched. Ask its system, "
        "then clear this task.",
    )


def night_task(group: str, steps: tuple[Step, ...]):
    """The steps of one Spark application of the plan."""
    first, last = day_of_run()
    accepting = [ACCEPT_REJECTS] if any(step.source for step in steps) else []
    return application(
        group,
        "night.py",
        [
            "--only",
            ",".join(step.name for step in steps),
            "--from-date",
            first,
            "--to-date",
            last,
            *FOLDERS,
            "--landing",
            folder("landing"),
            "--warehouse",
            folder("warehouse"),
            "--push",
            folder("push"),
            *accepting,
        ],
        "\n".join(
            [
                f"**When it fails:** {IMPACT[group]}",
                "",
                *(f"- `{step.name}`: {step.title} ({step.cadence})" for step in steps),
            ]
        ),
    )


@dag(
    schedule=CronTriggerTimetable(EVERY_MORNING, timezone=CONF.runtime.timezone),
    doc_md=__doc__,
    params={
        "data_date": DATE,
        "from_date": Param(
            None, "First day of a range that ends with data_date; empty: one night", **OPTIONAL_DATE
        ),
        "wait_minutes": Param(
            WAIT_MINUTES, "How long to wait for the day's deliveries", type="integer", minimum=0
        ),
        "accept_rejects": Param(
            None, "Let deliveries pass their thresholds in this run: why", **OPTIONAL_TEXT
        ),
        **own_folders("landing", "warehouse", "push"),
    },
    **USUAL,
)
def nightly():
    before = data_date() >> deliveries_task()
    for group, steps in applications(night(CONF)).items():
        submitted = night_task(group, steps)
        before >> submitted
        before = submitted


nightly()
