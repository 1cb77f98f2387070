"""Casper's Kitchens digital twin: replay and understand delivery operations."""
