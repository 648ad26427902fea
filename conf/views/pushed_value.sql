-- name_cn: 推送价值
-- name: Value of what was pushed
-- answers: How many offers did a campaign push over a channel each night, at what cost and value?
SELECT
    data_date, campaign_id, wave, channel,
    count(*) AS offers,
    count(DISTINCT customer_id) AS customers,
    sum(value) AS value,
    sum(cost) AS cost,
    sum(acceptance)::DECIMAL(18, 2) AS orders_expected,
    count(*) FILTER (explored) AS explored
FROM mart.decision
WHERE fate = 'pushed'
GROUP BY ALL
ORDER BY data_date, campaign_id, wave, channel
