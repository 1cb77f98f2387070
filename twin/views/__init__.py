"""What the user sees: one Viewer per file, its JavaScript and CSS beside it."""
