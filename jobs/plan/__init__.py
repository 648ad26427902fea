"""The plan of the night: steps, their tables, cadence and groups. Light: the DAG reads it."""
