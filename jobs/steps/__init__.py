"""The steps of the night, by group. Each has `run`."""
