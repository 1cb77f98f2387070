"""The map's layers, and the text that saves in an address which of them are shown."""

LAYERS: dict[str, bool] = {
    "routes": True, "customers": True, "trails": True, "radius": True, "clusters": True,
}  # fmt: skip
"""The layers, and whether each is shown by default."""

NO_LAYERS = "none"
"""The text for no layers, because an empty text means the default."""


def layers_text(layers: dict[str, bool]) -> str:
    """Return the layers that are shown as text for an address; empty for the default.

    >>> layers_text({**LAYERS, "clusters": False})
    'routes,customers,trails,radius'
    """
    if all(layers.get(name, usual) == usual for name, usual in LAYERS.items()):
        return ""
    return ",".join(name for name, usual in LAYERS.items() if layers.get(name, usual)) or NO_LAYERS


def layers_of(text: str) -> dict[str, bool]:
    """Parse a text of `layers_text`; unknown names are ignored."""
    if not text:
        return dict(LAYERS)
    named = set(text.split(","))
    return {name: name in named for name in LAYERS} if named & {*LAYERS, NO_LAYERS} else dict(LAYERS)
