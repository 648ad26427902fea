"""Pages for people, one module each."""
