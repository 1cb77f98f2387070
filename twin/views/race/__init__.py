"""A race of kitchens or days, for a wall screen."""
