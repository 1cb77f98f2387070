"""Demo data: street grids, demand, lifecycles and menus in the real schema."""
