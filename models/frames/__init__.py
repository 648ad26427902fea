"""Operations on columns and Arrow batches that know no domain.

Others take:
- `lookup`: a column looked up in a small mapping of the configuration;
- `validity`: whether a row is valid at a moment or during a period;
- `conditions`: several conditions as one;
- `invisible`: the characters that nobody sees, also as a regular expression;
- `money`: the type of an amount, and micro-yuan as yuan, in columns and Arrow arrays;
- `arrow_lists`: Arrow lists as NumPy arrays, and back;
- `customer_batches`: Arrow batches that hold whole customers.
"""
