"""What the map can show, and how an address tells which of it is shown."""

LAYERS: dict[str, bool] = {
    "routes": True, "customers": True, "trails": True, "radius": True, "clusters": True,
}  # fmt: skip
"""What the map can show, and whether it does unless told otherwise."""

NO_LAYERS = "none"
"""All layers switched off, in an address, where an empty text means the usual ones."""


def layers_text(layers: dict[str, bool]) -> str:
    """Return the layers that are shown as text for an address; empty for the usual ones.

    >>> layers_text({**LAYERS, "clusters": False})
    'routes,customers,trails,radius'
    """
    if all(layers.get(name, usual) == usual for name, usual in LAYERS.items()):
        return ""
    return ",".join(name for name, usual in LAYERS.items() if layers.get(name, usual)) or NO_LAYERS


def layers_of(text: str) -> dict[str, bool]:
    """Return which layers a text of `layers_text` shows; names that do not exist are left aside."""
    if not text:
        return dict(LAYERS)
    named = set(text.split(","))
    return {name: name in named for name in LAYERS} if named & {*LAYERS, NO_LAYERS} else dict(LAYERS)
