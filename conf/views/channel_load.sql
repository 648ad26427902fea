-- name_cn: 渠道负荷
-- name: Load of channels and budgets
-- answers: How full was each channel, branch and budget, and what was one more unit worth?
SELECT
    data_date, resource, unit, capacity, used,
    CASE WHEN capacity > 0 THEN (used / capacity)::DECIMAL(9, 6) END AS load,
    price, value_plus_one
FROM mart.capacity_price
WHERE resource <> 'TOTAL'
ORDER BY data_date, resource
