"""The operations page and the wall screen, composed of views; the page of all kitchens, and that for columns of your own."""
