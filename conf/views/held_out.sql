-- name_cn: 对照组
-- name: Control groups
-- answers: How many customers were held out of which campaign, and what was withheld?
SELECT
    data_date, scope, campaign_id, wave, channel,
    count(DISTINCT customer_id) AS customers,
    sum(value) AS value_withheld
FROM mart.hold_out
GROUP BY ALL
ORDER BY data_date, scope, campaign_id, wave, channel
