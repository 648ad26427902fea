"""A plain rater that rates one customer-month event by event, exactly and by simple means.

It checks the rating engine, so it imports nothing of models, not even the tariff language.
Others take:
- `rater.Rater`, `rater.rate_month`: the bill of one customer, month and package
- `tariff.Event`: one use of the network; `bill.MonthBill`: the rated month
- `subscriber_events`: the events of one subscriber, from the delivered records
The tests compare the engine with it, jobs.quote prints its bill, and the synthetic province is
billed by it.
"""
