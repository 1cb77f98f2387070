"""The origins whose pages may show ours inside theirs: in a frame, or embedded in the page."""

from urllib.parse import urlsplit

from twin.server.process import process


def embed_origins() -> frozenset[str]:
    """Return these origins."""
    return process.settings_or_default.embed_origins


def embed_hosts() -> set[str]:
    """Return the hosts of these origins, which may open an embedded page's WebSocket."""
    return {urlsplit(origin).netloc for origin in embed_origins()}
