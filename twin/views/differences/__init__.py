"""What differs between two ranges, each figure with its interval."""
