"""What leaves the house: the rows pushed to each channel, and the files that carry them.

Others take:
- `targets`: the table push.<channel> (step `push`)
- `layout`: what a channel's file looks like, for those who read it (jobs.dictionary)
- `channel_file`, `sample`: the bytes of the channel's file and its manifest (jobs.outbox)
"""
