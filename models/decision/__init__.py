"""Which customer is offered which package over which channel, and why not the others.

Others take `night`, which does all of this in order, `figures`, and `acceptance`:
- `candidates`: every subscriber × offer × channel of the valid campaigns, with the facts for rules
- `value`: what each contact is worth, with its parts
- `waves`: which wave of a campaign is due for a customer
- `policy`: the rules that each candidate breaks, and the hold-outs
- `contest`: which of a customer's candidates compete for a place
- `scarce`: what a contact uses up, and how much of it there is
- `ledger`: mart.decision, with the fate and all reasons of every candidate
- `figures`: the funnel, the prices, and what must add up
"""
