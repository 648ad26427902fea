"""The only border to the tables: declared use, checks, commits, ledger, lineage."""
