"""The network page: all kitchens of a source on one clock."""
