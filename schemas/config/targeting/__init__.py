"""Files of targets/ as dataclasses, and the registry of the facts that their conditions may use."""
