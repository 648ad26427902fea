"""Delivered lines become rows with a verdict; figures by which a delivery is judged."""
