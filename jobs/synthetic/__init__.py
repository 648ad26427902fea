"""Writing the synthetic province as deliveries."""
