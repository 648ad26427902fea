"""What the expressions of a source's mapping name, and whether its rows would be read differently.

Others take:
- `expression`: the columns and functions that an expression names;
- `source_fingerprint`: the fingerprint of a source, and the sets of values that it depends on.
"""
