"""The contacts of the province, in the form of each channel's own log."""
