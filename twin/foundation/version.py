"""The version of the product, defined only here; pyproject.toml reads it."""

VERSION = "0.2.0"
"""CHANGELOG.md lists the changes of each version."""
