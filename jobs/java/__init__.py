"""What set-up puts beside pyspark for Java: Delta's jars and an archive of classes for runs."""
