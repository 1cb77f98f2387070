"""All kitchens on one clock: which is in trouble, since when and how bad, at any moment of the last week."""

from twin.pages.network.network import serve_network

serve_network()
