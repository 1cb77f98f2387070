"""The orders at the playhead."""
