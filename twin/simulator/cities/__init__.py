"""The cities' rough shapes as data: land, water, parks, grids, avenues. See `twin.simulator.city`."""
