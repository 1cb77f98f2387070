"""Raw rows made into the state of one kitchen as a pure function of time."""
