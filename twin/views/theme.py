"""Colours, type and spacing of every view, light and dark: the one place that defines them.

Components read them as CSS custom properties (`--tw-…`), which cross shadow roots; Bokeh figures, whose canvas knows no
CSS, read the same values from `TOKENS`.
"""

TOKENS: dict[str, dict[str, str]] = {
    "light": {
        "bg": "#f4f6f9", "panel": "#ffffff", "line": "#dfe4ec", "ink": "#101828", "mute": "#556075",
        "accent": "#1f5eff", "on-accent": "#ffffff", "bad": "#c1121f", "warn": "#9a5b00", "good": "#157347",
        "shadow": "0 1px 2px rgba(16,24,40,.06)", "map": "#f5f7fa", "halo": "#ffffff",
        # stage text (AA on the panel) and stage fills
        "created": "#64748b", "cooking": "#c2570c", "ready": "#8a6a00", "out_for_delivery": "#1d4ed8", "completed": "#157347",
        "created-fill": "#94a3b8", "cooking-fill": "#f97316", "ready-fill": "#eab308",
        "out_for_delivery-fill": "#3b82f6", "completed-fill": "#22c55e",
    },
    "dark": {
        "bg": "#0b1119", "panel": "#121a26", "line": "#223046", "ink": "#e8eef8", "mute": "#93a3bb",
        "accent": "#6ea0ff", "on-accent": "#08101c", "bad": "#ff7a7a", "warn": "#fbbf24", "good": "#4ade80",
        "shadow": "none", "map": "#0d131c", "halo": "#ffffff",
        "created": "#9fb0c8", "cooking": "#fb923c", "ready": "#facc15", "out_for_delivery": "#7db0ff", "completed": "#4ade80",
        "created-fill": "#94a3b8", "cooking-fill": "#f97316", "ready-fill": "#eab308",
        "out_for_delivery-fill": "#3b82f6", "completed-fill": "#22c55e",
    },
}  # fmt: skip

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'

_LIGHT = ":root"
_DARK = '.mui-dark, [data-theme="dark"], [data-jp-theme-light="false"], .vscode-dark'


def css() -> str:
    """Return the tokens as a style sheet for the document: light by default, dark where a dark theme is set."""

    def block(selector: str, theme: str) -> str:
        rules = ";".join(f"--tw-{name}:{value}" for name, value in TOKENS[theme].items())
        return f"{selector}{{{rules};--tw-font:{FONT};color-scheme:{theme}}}"

    return block(_LIGHT, "light") + block(_DARK, "dark")
