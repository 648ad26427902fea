"""Writing the synthetic province as deliveries, with its truth beside them.

The command synthesize takes province (plan, write, is_written).
"""
