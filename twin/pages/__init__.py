"""Views put together into the operations page and the wall screen."""
