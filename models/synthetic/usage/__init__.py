"""The usage of the province: calls, messages, data sessions and WLAN sessions.

`habits` decides when and where the network is used. The other modules give the true events and the
rows of their files. models.synthetic.chunk takes both, models.synthetic.billing the events.
"""
