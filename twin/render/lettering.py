"""The page's typeface for pictures that are drawn without a browser.

`fonts/inter.woff2` is Inter 4.1 (SIL Open Font License, `fonts/OFL.txt`) as a variable font of 34 KB: weights 400 to 700, optical
size 14, Latin with its extension A, punctuation, arrows and triangles, features `tnum`, `case`, `locl`, `kern` and `mark`, no
hinting. It was cut with fontTools (`varLib.instancer`, then `subset`). Letters that it lacks are empty boxes in a picture.
"""

import functools
from pathlib import Path

from PIL import ImageFont

FILE = Path(__file__).parent / "fonts" / "inter.woff2"
REGULAR, BOLD = 400, 650


@functools.lru_cache(64)
def font(size: float, weight: int = REGULAR) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the typeface at `size` pixels; Pillow's own, in one weight, where Pillow cannot read compressed fonts."""
    try:
        made = ImageFont.truetype(FILE, size)
        made.set_variation_by_axes([weight])
    except (OSError, NotImplementedError):
        return ImageFont.load_default(size)
    return made
