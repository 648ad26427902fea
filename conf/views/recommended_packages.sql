-- name_cn: 推荐套餐
-- name: Recommended packages
-- answers: Which packages are recommended to how many customers, and what would they save?
SELECT
    m.data_date, m.kind, m.package_id, s.brand,
    count(*) AS subscribers,
    avg(m.saving)::DECIMAL(18, 2) AS mean_saving,
    sum(m.saving) AS saving_a_month,
    sum(m.income_change) AS income_change_a_month
FROM mart.package_match AS m
JOIN dw.subscriber AS s USING (data_date, subscriber_id)
WHERE m.recommended
GROUP BY ALL
ORDER BY m.data_date, subscribers DESC, m.package_id, s.brand
