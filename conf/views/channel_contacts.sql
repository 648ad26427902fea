-- name_cn: 渠道接触量
-- name: Contacts by channel
-- answers: How many contacts of which kind came over each channel in a month?
SELECT
    date_trunc('month', local_date)::DATE AS month, channel, direction, kind,
    count(*) AS contacts,
    count(DISTINCT customer_id) AS customers,
    count(*) FILTER (customer_id IS NULL) AS of_nobody
FROM dw.contact_event
GROUP BY ALL
ORDER BY month, channel, direction, kind
