"""How many raw rows were used, flagged and rejected, and why."""
