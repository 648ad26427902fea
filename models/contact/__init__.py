"""Contacts of all channels in one format, and the view of each customer's contacts (M1).

Others take event (dw.contact_event), view (dw.contact_view) and log (plain text, without Spark).
"""
