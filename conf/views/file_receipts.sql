-- name_cn: 文件回执
-- name: Files and receipts
-- answers: What did channels load of the files that they got, and what is missing?
SELECT
    f.data_date, f.channel, f.file_name, f.rows, f.test_rows,
    c.data_date AS checked_on, c.loaded, c.failed, c.missing, c.alarm
FROM mart.push_file AS f
LEFT JOIN (
    SELECT channel, file_name, max(data_date) AS data_date,
        max_by(loaded, data_date) AS loaded, max_by(failed, data_date) AS failed,
        max_by(missing, data_date) AS missing, arg_max_null(alarm, data_date) AS alarm
    FROM mart.receipt_check
    GROUP BY ALL
) AS c USING (channel, file_name)
ORDER BY f.data_date, f.channel
