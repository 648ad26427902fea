"""Which channel each customer prefers 渠道偏好 (M2-01, M2-02).

Grain of the result: customer × channel with rank, score and reason, as the snapshot of the last
day. When this step fails, offers go out over the channels of the day before.
"""

from jobs.runtime.context import Context
from models.preference import frequent as preference


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    policy = conf.policy.preference
    warehouse.replace(
        "mart.channel_preference",
        preference.channel_preference(
            warehouse.read("dw.contact_view", on=day),
            warehouse.read("dw.subscriber", on=day),
            channels={name: one for name, one in conf.channels.items() if not one.logged_as},
            frequent_above=policy.frequent_above,
            kinds=policy.kinds,
            data_date=day,
        ),
    )
