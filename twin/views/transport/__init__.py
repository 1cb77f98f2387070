"""Play, speed and the scrubber over the range."""
