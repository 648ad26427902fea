"""The rating engine: every customer-month under every package, to the 厘.

Others take the evaluator, the cube, free_units and the shortlist.
"""
