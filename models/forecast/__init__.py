"""What the next bill may be, and the answer to "which package is best for me".

Others take:
- `next_bill`: the forecast of the next bill of each row of a match, with an 80 % interval;
- `bill_forecast`: forecasts of a closed month against its bills (mart.bill_forecast);
- `best_tariff`: one answer for every active subscriber (mart.best_tariff).
"""
