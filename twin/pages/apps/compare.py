"""Two kitchens, or two ranges of one, side by side on one clock."""

from twin.pages.compare.compare import compare_page

compare_page().servable()
