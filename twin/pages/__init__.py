"""The operations page and the wall screen, composed of views."""
