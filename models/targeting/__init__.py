"""Whom a campaign is for 目标客户筛选 (S1-02, S2-03, S2-04): definitions become customers.

Others take:
- `measures`: the facts of all definitions, each table read once;
- `members`: who meets a definition and why, its funnel, counts by branch and brand.
"""
