"""Files that leave: one folder per channel and day, each file with a manifest.

Others take folder (Outbox) and channel_file (send).
"""
