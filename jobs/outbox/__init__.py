"""What leaves: the folders and files of the channels."""
