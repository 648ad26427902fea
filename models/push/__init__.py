"""What leaves the house: the rows pushed to each channel, and the files that carry them.

Others take:
- `targets`: the table push.<channel> (step `push`)
- `channel_file`: the bytes of the channel's file and its manifest (jobs.outbox)
"""
