"""Read raw rows from files or a lakehouse through one interface."""
