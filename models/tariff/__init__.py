"""The tariff language: what a package is, how its file is read and checked, what an event owes.

Usage and rating take the catalogue, charge, measure, segmentation and rounding.
"""
