"""Figures of the whole range."""
