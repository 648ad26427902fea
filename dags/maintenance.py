"""Every week: delete rows past their retention, merge small files, remove replaced ones.

One Spark application, `python -m jobs.maintenance`. It shares the pool's single slot and the lock
of the warehouse with the night's applications, so it never runs during a night. Rows stay up to a
week longer than their contract says; start the DAG more often where that matters. Retention counts
back from the data_date of the run, and a run may be repeated.

`submission.py` describes what every DAG here needs (environment, connection, pool, variables).
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

SUNDAY_NOON = "0 12 * * 0"  # in the configured zone: the night has ended by then

IMPACT = (
    "Nothing waits for it: nights go on. Rows past their retention stay, and the tables' folders "
    "grow, until it has run."
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
