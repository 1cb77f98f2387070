"""The card as a PNG of an A4 page, drawn without a browser: the same bytes for the same card."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

from twin.render.lettering import BOLD, REGULAR, font
from twin.reports.card import Card
from twin.reports.card_text import part_cells

SCALE = 2
"""Pixels to a CSS pixel (1/96 inch): sharp on paper."""
WIDTH, HEIGHT = 794, 1123
MARGIN = 45
INNER = WIDTH - 2 * MARGIN
INK, MUTE, LINE, BAD, BLUE, SOFT = "#101828", "#4a566b", "#d8dee8", "#c1121f", "#1d4ed8", "#9aa6b8"
COMPRESSION = 6

Column = tuple[float, bool]
"""Of a table: where it ends (right-aligned) or begins, CSS pixels from the margin; whether it is left-aligned."""

_PARTS: Sequence[Column] = ((0, True), (430, False), (510, False), (605, False), (INNER - 2, False))
_ORDERS: Sequence[Column] = ((0, True), (350, False), (435, False), (515, False), (530, True))
_BARS = (105, 270)
"""Left edge and length of the longest bar."""


def card_png(card: Card) -> bytes:
    """Return the card as a PNG, 1588 pixels wide; without the link, which a picture cannot lead to."""
    sheet = _Sheet()
    sheet.write(card.title, 22, BOLD, BAD if card.trouble else INK)
    sheet.write(f"{card.kitchen} · {card.when}", 12, BOLD)
    sheet.write(f"{card.known} · {card.customers}", 12, ink=MUTE)
    sheet.write(card.sentence, 12)
    sheet.write(card.why, 14, BOLD)
    for one in card.shared:
        sheet.write(one, 12)
    if card.notes:
        sheet.head("Notes")
        top = sheet.y
        for line in card.notes.splitlines():
            sheet.write(line, 12, left=10)
        sheet.fill((0, top, 3, sheet.y), BLUE)
    _strip(sheet, card)
    if card.parts:
        sheet.head(f"Minutes by cause, means of {card.account.orders:,} deliveries")
        bars = [(one.bar, one.usual_bar) for one in card.parts]
        sheet.row(("Part", "Took", "Usual", "Late minutes", "Late orders"), _PARTS, BOLD)
        sheet.text("Took (blue), usual (grey)", _BARS[0], sheet.y - 19, 12, BOLD)
        rows = part_cells(card)
        for cells, (took, usual) in zip(rows, [*bars, (0.0, 0.0)], strict=True):
            for at, share, colour in ((4, took, BLUE), (10, usual, SOFT)):
                if share:
                    length = _BARS[1] * share / 100
                    sheet.fill((_BARS[0], sheet.y + at, _BARS[0] + max(length, 1), sheet.y + at + 5), colour)
            sheet.row(cells, _PARTS, BOLD if cells is rows[-1] else REGULAR)
    sheet.head("What ended it")
    sheet.write(card.ended, 12)
    if card.worst:
        sheet.head("The latest orders")
        sheet.row(("Order", "Began", "Took (min)", "Late (min)", "Mostly by (min)"), _ORDERS, BOLD)
        for order in card.worst:
            cause = f"{order.cause} ({order.cause_min:.1f})"
            sheet.row((order.order, order.began, f"{order.took:.1f}", f"{order.late:.1f}", cause), _ORDERS)
        if card.more:
            sheet.write(f"and {card.more:,} more late {'order' if card.more == 1 else 'orders'}", 12, ink=MUTE)
    sheet.y += 6
    sheet.write(card.definitions, 10.5, ink=MUTE)
    return sheet.png()


def _strip(sheet: "_Sheet", card: Card) -> None:
    """Draw the frames side by side, each with its caption below."""
    if not card.frames:
        return
    gap, top = 8, sheet.y + 8
    wide = (INNER - gap * (len(card.frames) - 1)) / len(card.frames)
    high = wide * 3 / 4
    with_map = any(frame.picture for frame in card.frames)
    below = top + (high + 3 if with_map else 0)
    deepest = below
    for k, frame in enumerate(card.frames):
        left = k * (wide + gap)
        if frame.picture:
            sheet.paste(frame.picture, left, top, wide, high)
        sheet.y = below
        sheet.write(frame.clock, 11, BOLD, left=left, width=wide)
        sheet.write(frame.caption, 11, ink=MUTE, left=left, width=wide)
        deepest = max(deepest, sheet.y)
    sheet.y = deepest


class _Sheet:
    """A page that is written from top to bottom; `y` is where it goes on. Lengths are CSS pixels from the margins."""

    def __init__(self) -> None:
        self.y = 0.0
        self._image = Image.new("RGB", (WIDTH * SCALE, 2 * HEIGHT * SCALE), "#ffffff")
        self._pen = ImageDraw.Draw(self._image)

    def png(self) -> bytes:
        """Return an A4 page; a longer one if more was written than fits, so that nothing is cut."""
        high = max(HEIGHT * SCALE, min(round((self.y + 2 * MARGIN) * SCALE), self._image.height))
        written = io.BytesIO()
        page = self._image.crop((0, 0, self._image.width, high))
        page.quantize(128, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            written, "PNG", compress_level=COMPRESSION
        )
        return written.getvalue()

    def text(
        self, words: str, x: float, y: float, size: float, weight: int = REGULAR, ink: str = INK, anchor: str = "la"
    ) -> None:
        """Write one line whose top is y."""
        place = ((MARGIN + x) * SCALE, (MARGIN + y) * SCALE)
        self._pen.text(place, words, ink, font(size * SCALE, weight), anchor)

    def write(
        self, words: str, size: float, weight: int = REGULAR, ink: str = INK, left: float = 0, width: float = INNER
    ) -> None:
        """Write a paragraph, in as many lines as it takes."""
        if not words:
            return
        for line in _lines(words, size, weight, min(width, INNER - left)):
            self.text(line, left, self.y, size, weight, ink)
            self.y += size * 1.4
        self.y += 2

    def head(self, words: str) -> None:
        """Write a heading."""
        self.y += 9
        self.write(words, 13, BOLD)

    def row(self, cells: Sequence[str], columns: Sequence[Column], weight: int = REGULAR) -> None:
        """Write a row of a table with its line below; what is too long for its column is cut."""
        starts = [0.0] * len(columns)
        for k, (x, at_left) in enumerate(columns):
            starts[k] = x if at_left else (columns[k - 1][0] if k else 0)
        for k, (cell, (x, at_left)) in enumerate(zip(cells, columns, strict=True)):
            following = columns[k + 1] if k + 1 < len(columns) else (INNER, False)
            room = (
                (following[0] - (70 if not following[1] and k + 1 < len(columns) else 0) - x)
                if at_left
                else x - starts[k]
            )
            self.text(_cut(cell, 12, weight, room), x, self.y + 2, 12, weight, anchor="la" if at_left else "ra")
        self.y += 20
        self.fill((0, self.y, INNER, self.y + 0.5), LINE)
        self.y += 1

    def fill(self, box: tuple[float, float, float, float], colour: str) -> None:
        """Fill a rectangle."""
        self._pen.rectangle([round((MARGIN + side) * SCALE) for side in box], fill=colour)

    def paste(self, picture: bytes, x: float, y: float, width: float, height: float) -> None:
        """Draw a picture in a rectangle."""
        size = (round(width * SCALE), round(height * SCALE))
        drawn = Image.open(io.BytesIO(picture)).convert("RGB")
        if drawn.size != size:
            drawn = drawn.resize(size, Image.Resampling.BICUBIC)
        self._image.paste(drawn, (round((MARGIN + x) * SCALE), round((MARGIN + y) * SCALE)))


def _lines(words: str, size: float, weight: int, width: float) -> list[str]:
    """Break a text into lines of at most `width` CSS pixels; a word that is longer than a line is broken itself."""
    face = font(size * SCALE, weight)
    lines: list[str] = []
    line = ""
    for word in words.split():
        while (tried := f"{line} {word}".strip()) and face.getlength(tried) > width * SCALE:
            if line:
                lines.append(line)
                line = ""
                continue
            fits = max(1, next((n for n in range(len(word), 0, -1) if face.getlength(word[:n]) <= width * SCALE), 1))
            if fits == len(word):
                break
            lines.append(word[:fits])
            word = word[fits:]
        line = f"{line} {word}".strip()
    return [*lines, line] if line else lines


def _cut(words: str, size: float, weight: int, room: float) -> str:
    face = font(size * SCALE, weight)
    line = words
    while len(line) > 1 and face.getlength(line) > room * SCALE:
        line = f"{line[:-2].rstrip()}…"
    return line
