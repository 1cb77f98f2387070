"""One folder per thing that is seen: its Python, JavaScript and CSS."""
