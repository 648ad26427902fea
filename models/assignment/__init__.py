"""Who gets which option within the capacity of every resource, with a certified bound.

Others take:
- `resource`: what is scarce (channel-days, branches, minutes, budgets), in whole units;
- `choices`: the options of a night as one row per customer and way, with fixed arrays;
- `assign`: the fate of each option, and the figures of the night.
"""
