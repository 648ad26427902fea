-- name_cn: 帐单回测
-- name: Back-test of bills
-- answers: How many bills are reproduced, and what explains the others?
SELECT
    data_date, month, cause,
    count(*) AS bills,
    max(abs(difference)) AS largest_difference,
    sum(actual) AS billed
FROM mart.backtest
GROUP BY ALL
ORDER BY data_date, month, bills DESC, cause
