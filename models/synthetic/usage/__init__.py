"""The usage of the province: calls, messages, data sessions and WLAN sessions."""
