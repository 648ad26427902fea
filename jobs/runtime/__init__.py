"""What surrounds a run: arguments, log, lock, Spark session, and the walk over the steps."""
