"""Which channel a customer prefers (M2)."""
