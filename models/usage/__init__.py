"""Usage records become rating cells, days and months of measures (the usage cube)."""
