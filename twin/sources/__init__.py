"""Where raw rows come from, whatever they are stored in."""
