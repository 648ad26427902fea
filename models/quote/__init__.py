"""What a customer would pay: quotes, the best packages, and the test against real bills.

Others take:
- `holding`: the packages that a subscriber had in a month or has on a day;
- `bill_item`: what was paid, and which items of a bill pass through;
- `package_quote`: a month under a package (mart.package_quote);
- `package_match`: the packages of a customer compared and ranked (mart.package_match);
- `whole_match`: whole alternatives, what a customer can hold together, for that comparison;
- `without_bill`: what stands for the bill of customers without bills;
- `month_part`: months in which a package or its tariff changed, priced part by part;
- `backtest`: re-rated months against real bills (mart.backtest);
- `what_if`: the effect of launching a package.
"""
