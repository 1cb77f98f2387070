"""What stands out: the list of moments and the alert."""
