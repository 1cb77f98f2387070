"""The incident card: one page about a moment or a loop, in a dialog, to print, save and paste."""
