"""Steps that rate usage: cells, months, free units, back-test, quotes."""
