"""How many raw rows the page stands on, and what became of the others."""
