"""Who a customer is: numbers and their owners over time, and what erasing a customer touches."""
