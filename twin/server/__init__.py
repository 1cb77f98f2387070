"""What one server process holds, and how routes and assets get onto it."""
