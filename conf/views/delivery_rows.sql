-- name_cn: 交付数据量
-- name: Rows of deliveries
-- answers: How many rows did each source deliver for a day, and what became of them?
SELECT
    source, "table", slice AS data_date, rows_delivered, rows_accepted, rows_rejected,
    rows_duplicate, rows_late, rows_warned, committed_at
FROM ops.run_ledger
WHERE state = 'committed' AND source IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY source, "table", slice ORDER BY committed_at DESC) = 1
ORDER BY source, "table", data_date
