"""Deliveries as files and as rows: landing, control files, archive, completeness, redelivery.

Others take landing, delivered_rows, archive, archived_lines, redelivery and completeness.
"""
