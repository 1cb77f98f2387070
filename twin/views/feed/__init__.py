"""The events as sentences."""
