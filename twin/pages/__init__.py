"""The operations page and the wall screen, composed of views; the page for columns of your own."""
