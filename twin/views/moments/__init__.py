"""The moments of the range: the list and the alert."""
