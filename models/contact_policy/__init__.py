"""Who may be contacted, how often and when 接触策略: rules of the policy, without the competition.

Others take:
- `known`: what the tables of a night tell about each customer, and when a candidate is planned;
- `rules`: the rules that each candidate breaks, the slots left, and when the next one opens;
- `reports`, `history`: what was told of contacts becomes dw.contact_history and dw.contact_outcome;
- `consent`, `hold_out`: the ledger of consent; who is held out, and the registry;
- `compiled`: the policy as both forms of the rules read it (without Spark);
- `one_customer`: the same rules for one customer (without Spark);
- `person`: what the tables of a night tell of one customer (without Spark).
"""
