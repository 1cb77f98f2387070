"""HTTP routes served beside the dashboards."""
