"""The version of the product: the only place that says it (pyproject.toml reads it here)."""

VERSION = "0.2.0"
"""CHANGELOG.md says what each version changed."""
