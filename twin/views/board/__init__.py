"""All kitchens of a scene, on a wall."""
