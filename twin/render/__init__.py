"""Pictures as pure functions of the data: base map tiles, dense frames."""
