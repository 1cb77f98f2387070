"""One folder per view: its Python, JavaScript and CSS."""
