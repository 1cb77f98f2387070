"""The page that finds out what columns of your own mean."""
