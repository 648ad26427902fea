"""Steps that decide and push."""
