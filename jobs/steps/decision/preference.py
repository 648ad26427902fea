"""Which channel each customer prefers 渠道偏好 (M2-01, M2-02).

Grain of the result: customer × channel with rank, score and reason, as the snapshot of the last
day. When this step fails, offers go out over the channels of the day before.
"""

from jobs.warehouse.warehouse import Warehouse
from models.preference import frequent as preference
from schemas.config import Config
from schemas.window import Window


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    day, policy = window.last, conf.policy.preference
    wh.replace(
        "mart.channel_preference",
        preference.channel_preference(
            wh.read("dw.contact_view", on=day),
            wh.read("dw.subscriber", on=day),
            channels=conf.channels,
            frequent_above=policy.frequent_above,
            kinds=policy.kinds,
            data_date=day,
        ),
    )
