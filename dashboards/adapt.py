"""What columns of your own mean: guessed, corrected by hand, stored as an adapter beside the data."""

from twin.pages.adapt.adapt import serve_adapt

serve_adapt()
