"""The card as HTML to print, and as Markdown to paste into a ticket or a chat."""

import re

from twin.reports.card import Card
from twin.reports.parts import minutes, signed, templates

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_BEGINS = re.compile(r"^(\s*)([-+>]|\d+[.)])(?=\s|$)")


def card_html(card: Card) -> str:
    """Return the card as one HTML page of A4: no scripts, no server, no network."""
    return templates().get_template("card.html").render(card=card, minutes=minutes, signed=signed)


def card_markdown(card: Card) -> str:
    """Return the card as Markdown, without its pictures. Whatever comes from data or a user is text, never markup."""
    lines = [
        f"# {plain(card.title)}",
        f"**{plain(card.kitchen)}** · {plain(card.when)}  ",
        f"{plain(card.known)} · {plain(card.customers)}",
        *([plain(card.sentence)] if card.sentence else []),
        f"**{plain(card.why)}**",
        *(plain(one) for one in card.shared),
    ]
    if card.notes:
        lines += ["## Notes", "  \n".join(plain(line) for line in card.notes.splitlines())]
    lines += ["## How it went", "\n".join(f"- **{plain(one.clock)}** {plain(one.caption)}" for one in card.frames)]
    if card.parts:
        lines += [
            f"## Minutes by cause, means of {card.account.orders:,} deliveries",
            _table(
                ("Part", "Took", "Usual", "Late minutes", "Late orders"),
                [*part_cells(card)],
            ),
        ]
    lines += ["## What ended it", plain(card.ended)]
    if card.worst:
        lines += [
            "## The latest orders",
            _table(
                ("Order", "Began", "Took (min)", "Late (min)", "Mostly by"),
                [
                    (one.order, one.began, f"{one.took:.1f}", f"{one.late:.1f}", f"{one.cause} ({one.cause_min:.1f})")
                    for one in card.worst
                ],
            ),
        ]
        if card.more:
            lines.append(f"and {card.more:,} more late {'order' if card.more == 1 else 'orders'}")
    lines.append(plain(card.definitions))
    if card.link:
        lines.append(f"[Open the replay at this time](<{card.link}>)")
    return "\n\n".join(lines) + "\n"


def part_cells(card: Card) -> list[tuple[str, ...]]:
    """Return the rows of the table of parts, the last one for all together: label, took, usual, late minutes, late orders."""
    lines = [(one.label, one.took, one.usual, one.late, one.late_orders) for one in card.parts]
    lines.append(("Together", card.took, card.usual, card.late_min, float(card.account.late)))
    return [
        (label, minutes(took), minutes(usual), signed(late, 0), signed(late_orders))
        for label, took, usual, late, late_orders in lines
    ]


def plain(text: str) -> str:
    """Return a text so that Markdown shows it as it is, on one line.

    >>> plain("<b>1</b> *x* | y"), plain("1. Pho")
    ('\\\\<b\\\\>1\\\\</b\\\\> \\\\*x\\\\* \\\\| y', '1\\\\. Pho')
    """
    escaped = _MARKUP.sub(r"\\\1", " ".join(text.split()))
    return _BEGINS.sub(lambda found: f"{found[1]}{found[2][:-1]}\\{found[2][-1]}", escaped)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple(":--" if k == 0 else "--:" for k in range(len(head))), *rows]
    return "\n".join(
        f"| {' | '.join(cell if n < 2 else plain(cell) for cell in cells)} |" for n, cells in enumerate(lines)
    )
