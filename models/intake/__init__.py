"""Delivered lines become typed rows, each accepted, rejected with reasons, or a duplicate.

Others take verdict (validate), duplicates, outcome, delivery_metrics and delivered_line.
"""
