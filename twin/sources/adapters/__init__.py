"""Reads files with columns of their own: guesses what they mean, stores that as a mapping, and renames them in SQL."""
