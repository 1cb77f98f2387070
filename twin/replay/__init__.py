"""The replay clock (pure) and its controller (Param)."""
