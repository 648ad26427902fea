"""What campaigns changed, by assignment."""
