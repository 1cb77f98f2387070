"""Charts of the whole range."""
