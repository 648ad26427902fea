"""Every week: delete what the contracts keep no longer, merge small files, clear away old ones.

One Spark application, `python -m jobs.maintenance`. It waits for the slot of the pool that the
night's applications take too, and for the lock of the warehouse, so it never runs beside a night.
What is too old stays up to a week longer than its contract says; start the DAG oftener where that
matters. A run counts back from its data_date and may be repeated.

What every DAG here needs (environment, connection, pool, variables) is written in `submission.py`.
"""

from airflow.sdk import CronTriggerTimetable, dag

from dags.submission import (
    CONF,
    DATE,
    FOLDERS,
    USUAL,
    application,
    data_date,
    folder,
    own_folders,
)

SUNDAY_NOON = "0 12 * * 0"  # in the configured zone: the night is through by then

IMPACT = (
    "Nobody waits for it: nights go on. What is too old stays, and the tables' folders grow, "
    "until it has run."
)


@dag(
    schedule=CronTriggerTimetable(SUNDAY_NOON, timezone=CONF.runtime.timezone),
    doc_md=__doc__,
    params={"data_date": DATE, **own_folders("landing", "warehouse", "push")},
    **USUAL,
)
def maintenance():
    data_date() >> application(
        "maintain",
        "maintenance.py",
        [
            "--data-date",
            "{{ ti.xcom_pull(task_ids='data_date') }}",
            *FOLDERS,
            "--landing",
            folder("landing"),
            "--warehouse",
            folder("warehouse"),
            "--push",
            folder("push"),
        ],
        f"**When it fails:** {IMPACT}",
    )


maintenance()
