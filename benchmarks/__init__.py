"""Measures how fast the product is on this machine: `python -m benchmarks` prints which goals are reached."""
