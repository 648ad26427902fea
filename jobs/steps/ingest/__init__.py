"""Steps that ingest deliveries."""
