"""The kitchen's stages, and the orders in each."""
