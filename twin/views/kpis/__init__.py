"""The KPI cards."""
