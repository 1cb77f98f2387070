"""Measures DESIGN's speed goals on this machine: `python -m benchmarks` prints what is reached and what is not."""
