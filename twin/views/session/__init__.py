"""One user's replay: loading, ticking, the address."""
