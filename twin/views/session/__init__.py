"""One user's replay: loading, ticks, the page's address."""
