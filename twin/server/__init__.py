"""The state of one server process, and the routes and assets it serves."""
