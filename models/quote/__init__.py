"""What a customer would pay: quotes, the best packages, and the test against real bills."""
