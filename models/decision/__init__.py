"""Which customer is offered which package over which channel, and why not the others.

The step `decide` takes all three, in this order:
- `candidates`: every subscriber × offer × channel of the valid campaigns, with the facts for rules
- `policy`: the rules that each candidate breaks, and the control group
- `assignment`: one offer per customer within the capacity of the channels (mart.decision)
"""
