"""What leaves: the targets of each channel, and the bytes of its file and manifest."""
