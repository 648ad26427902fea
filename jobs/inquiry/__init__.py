"""Questions about committed tables, answered without Spark.

Commands take from here who is asked about (`asked`) and where a pushed row comes from
(`provenance`).
"""
