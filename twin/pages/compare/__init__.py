"""The page of two kitchens, or two ranges of one, side by side on one clock."""
