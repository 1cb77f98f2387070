"""Turns raw rows into the state of one kitchen, a pure function of time."""
