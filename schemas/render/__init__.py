"""Renderings of a contract that need a library: Spark, Delta, Great Expectations, Markdown."""
