"""The rating engine: each customer-month under each package, exact to the micro-yuan.

Others take:
- `cube`: the customer-months and the usage that they are priced from;
- `evaluator`: the cost of each customer-month under each package;
- `shortlist`: which packages of a customer leave the evaluator;
- `free_units`: which customer-months need a replay of their events, and the replay.
"""
