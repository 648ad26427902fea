"""What contracts are rendered into: Spark, Delta, Great Expectations, Markdown."""
