"""The delivery map."""
