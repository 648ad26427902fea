"""Customers: the owners of numbers over time, their attributes, and what an erasure concerns.

Others take identity (keyed_id, as_of, numbers_on and the tables of customers) and erasure.
"""
