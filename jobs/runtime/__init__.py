"""What a run needs around its steps: arguments, log, lock, Spark session, context, walk."""
