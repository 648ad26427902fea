"""What the logged decisions teach: what another rule would have earned, and drift of acceptance.

Others take:
- `logged.judged` and `logged.sums`: logged choices with what came of them, added up by customer;
- `off_policy.estimates`: what a contact of each rule would have earned, with intervals;
- `drift`: whether offers are accepted as often as was predicted when they were pushed.
"""
