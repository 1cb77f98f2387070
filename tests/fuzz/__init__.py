"""Mutated input, deterministic and bounded in time: whatever comes in, the process lives and says what is wrong."""
