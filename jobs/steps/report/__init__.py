"""The report of the night."""
