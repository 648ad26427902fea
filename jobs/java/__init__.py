"""What Spark's Java side needs: its libraries, and quick ways to them."""
