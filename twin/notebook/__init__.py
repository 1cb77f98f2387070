"""The same kitchen for a person with a notebook: tables, panes, saved pages."""
