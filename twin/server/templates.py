"""The server's own small pages: login, refusals, a server that is full."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader

PAGES = Environment(loader=FileSystemLoader(Path(__file__).with_name("pages")), autoescape=True)
"""Pages without scripts and without requests to any host."""
