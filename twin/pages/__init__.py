"""The operations page, two sides of it, and the wall screen, composed of views; the pages of all kitchens, and for columns."""
