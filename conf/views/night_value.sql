-- name_cn: 每晚决策价值
-- name: Value of the night
-- answers: What was a night's assignment worth beside simpler ways, and how much did it change?
SELECT
    data_date, used AS contacts, value, bound, gap, value_greedy, value_naive, value_margin_order,
    churn, kept, moved, gone, new
FROM mart.capacity_price
WHERE resource = 'TOTAL'
ORDER BY data_date
