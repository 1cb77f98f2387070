"""The orders at the playhead, as a list."""
