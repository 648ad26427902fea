-- name_cn: 未推荐原因
-- name: Why packages are not recommended
-- answers: Which reasons keep packages from being recommended, and to how many subscribers?
SELECT
    data_date, reason,
    count(*) AS rows,
    count(DISTINCT subscriber_id) AS subscribers
FROM (SELECT data_date, subscriber_id, unnest(reasons) AS reason FROM mart.package_match)
GROUP BY ALL
ORDER BY data_date, rows DESC, reason
