"""Files that leave: one folder per channel and day, each file with a manifest.

Others take folder (Outbox), channel_file (send) and delivery (deliver, recall, resend).
"""
