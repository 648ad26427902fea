"""Contacts: what one contact is in each log, and the view of each customer's contacts."""
