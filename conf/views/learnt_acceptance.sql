-- name_cn: 接受率
-- name: Learnt acceptance
-- answers: How often was an offer accepted over a channel, beside what was expected?
SELECT
    data_date, campaign_id, offer, channel, segment, contacts, orders, rate, prior, pooled_rate,
    shrunk_rate
FROM mart.acceptance
ORDER BY data_date, campaign_id, offer, channel, segment
