"""Budget against actual of campaigns: what was spent, and the rows of mart.campaign_money.

Others take:
- `spent`: what the ledgers and the pushes tell, by campaign and item;
- `money`: budget and actual by kind of cost, as plain values.
"""
