"""The events in words."""
