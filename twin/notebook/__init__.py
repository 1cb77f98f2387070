"""Kitchens in a notebook: tables, panes, saved pages."""
