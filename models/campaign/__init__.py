"""The states of campaigns 营销活动状态 (S1-02, S1-06): an append-only log, and what it allows.

Others take:
- `log`: an entry, its seal, and the check that nobody has changed the log;
- `state`: what may follow what, the state of each campaign, and which ones run on a day.
"""
