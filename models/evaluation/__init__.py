"""What a campaign changed, judged by assignment, from sums that Spark adds up.

Others take:
- `sums`: what an arm must be added up to (count, sum, squares, cross products);
- `intervals`: difference of rates, means, ratios, means after CUPED, ROI, each with its interval;
- `guardrail`, `sample_ratio`, `power`, `campaigns`, `looks`, `segments`: the judgements around it;
- `verdict`: one sentence in Chinese and English, or the reason why there is none.
"""
