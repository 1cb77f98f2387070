"""Pictures as pure functions of the data: base map tiles, density, frames of many drivers."""
