"""Definitions: contracts of tables, the configuration and its shapes, and their renderings."""
