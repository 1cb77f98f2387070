"""What every view stands on: the component base, theme, shared scripts and styles."""
