"""Documents about a kitchen that leave the product. Pure functions of the data: the same data gives the same bytes."""
