"""Figures of a timeline, what is usual and what stands out in it, and the texts for them."""
