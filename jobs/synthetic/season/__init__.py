"""Between the nights of a season: channels and customers answer the pushed files.

`pushed_files` reads them, `additions` adds lines to deliveries, `province` keeps the people and
lets them answer, `truth` compares the nights' estimates with what was planted.
"""
