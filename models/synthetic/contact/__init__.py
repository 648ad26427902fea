"""The contacts of the province, and each channel's log of them.

`contacts` decides who contacts the operator over which channel; the other modules give the rows of
each log. models.synthetic.chunk and models.synthetic.truth take them.
"""
