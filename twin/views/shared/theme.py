"""Colours, type and spacing of all views, light and dark.

Components read them as CSS custom properties (`--tw-…`), which cross shadow roots; Bokeh figures, whose canvas has no CSS,
read the same values from `TOKENS`. Text has a contrast of at least 4.5 : 1 with the panel and the page (WCAG 1.4.3), other
marks of 3 : 1 (WCAG 1.4.11); a test computes both.
"""

TOKENS: dict[str, dict[str, str]] = {
    "light": {
        "bg": "#f4f6f9", "panel": "#ffffff", "line": "#dfe4ec", "ink": "#101828", "mute": "#556075",
        "accent": "#1a54ea", "on-accent": "#ffffff", "bad": "#c1121f", "warn": "#a04d00", "good": "#157347",
        "shadow": "0 1px 2px rgba(16,24,40,.06)", "map": "#f5f7fa", "halo": "#ffffff",
        "edge": "#7f8a9e", "scrim": "rgba(16,24,40,.52)", "float": "0 12px 32px rgba(16,24,40,.2)",
        # stage text and stage fills
        "created": "#5b687d", "cooking": "#b45309", "ready": "#905d00", "out_for_delivery": "#1d4ed8", "completed": "#157347",
        "created-fill": "#75849b", "cooking-fill": "#e8650a", "ready-fill": "#bf8000",
        "out_for_delivery-fill": "#3b82f6", "completed-fill": "#159a46",
        "risk-fill": "#d17600",  # who will be late, on the map
    },
    "dark": {
        "bg": "#0b1119", "panel": "#121a26", "line": "#223046", "ink": "#e8eef8", "mute": "#93a3bb",
        "accent": "#6ea0ff", "on-accent": "#08101c", "bad": "#ff7a7a", "warn": "#fbbf24", "good": "#4ade80",
        "shadow": "none", "map": "#0d131c", "halo": "#ffffff",
        "edge": "#5d7091", "scrim": "rgba(2,5,10,.66)", "float": "0 14px 36px rgba(0,0,0,.55)",
        "created": "#9fb0c8", "cooking": "#fb923c", "ready": "#facc15", "out_for_delivery": "#7db0ff", "completed": "#4ade80",
        "created-fill": "#94a3b8", "cooking-fill": "#f97316", "ready-fill": "#eab308",
        "out_for_delivery-fill": "#3b82f6", "completed-fill": "#22c55e",
        "risk-fill": "#fbbf24",
    },
}  # fmt: skip

SCALE: dict[str, str] = {
    # type: 13 px is the body of a dense page and 12 px the smallest that is written; a step is some 20 % above
    "text-xs": "12px", "text-sm": "12.5px", "text-md": "13px", "text-lg": "15px", "text-xl": "18px",
    "text-2xl": "22px", "text-3xl": "30px",
    # spacing, in steps of 4 px with a half step for closely related things
    "space-half": "2px", "space-1": "4px", "space-2": "8px", "space-3": "12px", "space-4": "16px",
    "space-6": "24px", "space-8": "32px",
    # corners: a chip within a panel, a control, a panel, a dialog, a pill
    "radius-xs": "4px", "radius-sm": "6px", "radius-md": "8px", "radius-lg": "10px", "radius-xl": "14px",
    "radius-pill": "999px",
    # the smallest target of a pointer, and of a finger
    "target": "28px", "target-touch": "40px",
    # the page's own bar
    "bar": "52px",
    # the bar at the bottom of a phone
    "dock": "60px",
}  # fmt: skip
"""Sizes, equal in both themes; `--tw-text-md` and so on."""

TEXT = ("ink", "mute", "accent", "bad", "warn", "good", "created", "cooking", "ready", "out_for_delivery", "completed")
"""Tokens for text on the panel and the page."""

FILLS = (
    "edge",
    "risk-fill",
    *(f"{stage}-fill" for stage in ("created", "cooking", "ready", "out_for_delivery", "completed")),
)
"""Tokens for marks, bars and the borders of fields, which are not text."""

FONT = 'Inter, system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'

_LIGHT = ":root"
_DARK = '.mui-dark, [data-theme="dark"], [data-jp-theme-light="false"], .vscode-dark'


CONTRAST: dict[str, str] = {
    "bg": "Canvas", "panel": "Canvas", "map": "Canvas", "ink": "CanvasText", "mute": "CanvasText", "line": "GrayText",
    "edge": "CanvasText", "accent": "Highlight", "on-accent": "HighlightText", "shadow": "none", "float": "none",
    "bad": "#e0363f", "warn": "#a86a00", "good": "#15803d",
    **{name: TOKENS["light"][name] for name in FILLS if name != "edge"},
}  # fmt: skip
"""The tokens of drawings in the user's own colours (Windows high contrast): the system's, and for what only a hue tells apart one
that can be seen on black and on white."""


def contrast_css() -> str:
    """Return the rules for the user's own colours, which take every background away, a bar's and the playhead's with it.

    A drawing (class `graphic`) keeps its backgrounds, in the system's colours; what is pressed or chosen is highlighted, because
    its background was all that told.
    """
    tokens = ";".join(f"--tw-{name}:{value}" for name, value in CONTRAST.items())
    chosen = "[aria-pressed='true'],[aria-selected='true'],[aria-current]:not([aria-current='false']),.selected"
    return (
        "@media (forced-colors: active){"
        f".graphic{{forced-color-adjust:none;{tokens}}}"
        f":is({chosen}){{forced-color-adjust:none;color:HighlightText !important;background:Highlight !important;"
        "--tw-ink:HighlightText;--tw-mute:HighlightText;--tw-accent:HighlightText;--tw-bad:HighlightText;--tw-warn:HighlightText;"
        "--tw-panel:Highlight;--text:HighlightText}"
        ":focus-visible{outline-color:Highlight}}\n"
    )


def css() -> str:
    """Return the tokens as a style sheet for the document: light by default, dark where a dark theme is set."""

    def block(selector: str, theme: str) -> str:
        rules = ";".join(f"--tw-{name}:{value}" for name, value in TOKENS[theme].items())
        return f"{selector}{{{rules};--tw-font:{FONT};color-scheme:{theme}}}"

    sizes = ";".join(f"--tw-{name}:{value}" for name, value in SCALE.items())
    return f":root{{{sizes}}}" + block(_LIGHT, "light") + block(_DARK, "dark")


TOKENS_CSS = css()
"""The style sheet of a page, set once, before the first view is drawn."""
