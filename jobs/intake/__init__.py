"""What was delivered: landing, control files, archive, completeness, redelivery."""
