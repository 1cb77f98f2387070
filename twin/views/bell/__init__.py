"""The alerts of a kitchen on its page: a bell with their list, a bar for one that fires, and the rules that they come from."""
