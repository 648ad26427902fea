"""Questions about committed tables, answered without Spark.

Commands take from here who is asked about (`asked`), where a pushed row comes from (`provenance`),
how two versions of a table differ (`difference`), and the analysts' views (`views`) over a database
of the tables (`database`).
"""
