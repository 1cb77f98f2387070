"""What a timeline means: figures, what is usual, what stands out, and the words for it."""
