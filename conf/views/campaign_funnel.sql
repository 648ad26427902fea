-- name_cn: 营销活动漏斗
-- name: Campaign funnel
-- answers: How many candidates did each reason take, by night, campaign, wave and channel?
SELECT
    data_date, campaign_id, wave, channel, stage, reason, rows, customers, value,
    (rows / sum(rows) OVER (PARTITION BY data_date, campaign_id, wave, channel))::DECIMAL(9, 6)
        AS share
FROM mart.decision_funnel
ORDER BY data_date, campaign_id, wave, channel, stage
