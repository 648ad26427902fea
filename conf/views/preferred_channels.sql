-- name_cn: 渠道偏好
-- name: Preferred channels
-- answers: Which channel do customers of each brand prefer?
WITH brands AS (
    SELECT data_date, customer_id, min(brand) AS brand FROM dw.subscriber GROUP BY ALL
)
SELECT
    p.data_date, b.brand, p.channel, p.basis,
    count(*) AS customers
FROM mart.channel_preference AS p
LEFT JOIN brands AS b USING (data_date, customer_id)
WHERE p.rank = 1
GROUP BY ALL
ORDER BY p.data_date, b.brand, customers DESC, p.channel
