"""Whether the page is live: how old what is shown is, how far it is behind, and the way back."""
