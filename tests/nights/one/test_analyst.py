"""The analysts' views over a night: they agree with its tables, and no cell names anybody."""

import duckdb

from jobs import analyst
from jobs.inquiry import views
from tests.given.one_night import OPTIONS
from tests.given.paths import CONF
from tests.readers.warehouse_reader import query


def test_every_view_answers_and_names_nobody(one_night, tmp_path):
    file, warehouse = tmp_path / "analyst.duckdb", one_night.warehouse
    options = [*OPTIONS, "--warehouse", str(warehouse)]
    assert analyst.main(["--database", str(file), *options]) == 0
    numbers = {n for (n,) in query(warehouse, "SELECT msisdn FROM s", s="ods.subscriber")}
    numbers |= {n for (n,) in query(warehouse, "SELECT subscriber_no FROM s", s="ods.subscriber")}
    filled = set()
    with duckdb.connect(str(file), read_only=True) as db:
        for name in views.read([CONF]):
            rows = db.sql(f"FROM {name}").fetchall()
            assert not numbers & {cell for row in rows for cell in row if isinstance(cell, str)}
            filled |= {name} if rows else set()
        shares = db.sql(
            "SELECT abs(sum(share) - 1) FROM campaign_funnel "
            "GROUP BY data_date, campaign_id, wave, channel"
        ).fetchall()
        pushed = db.sql("SELECT sum(offers) FROM pushed_value").fetchall()
    assert {"campaign_funnel", "bill_backtest", "delivery_rows", "file_receipts"} <= filled
    assert all(float(off) < 1e-4 for (off,) in shares)
    assert pushed == query(
        warehouse, "SELECT count(*) FROM d WHERE fate = 'pushed'", d="mart.decision"
    )
