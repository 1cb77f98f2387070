"""The card of an incident in a notebook, and moments that have one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twin.analysis.moments import Moment
from twin.notebook.given_times import AnyTime

if TYPE_CHECKING:
    from twin.reports.card import Card


@dataclass(frozen=True)
class IncidentCard:
    """One page about an incident: `html`, `markdown`, `png`, `save(path)`. A notebook shows it as a picture.

    >>> card = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16").card("18:10", "18:50")
    >>> card.markdown.splitlines()[2]
    '**San Francisco** · Thursday 16 Oct 2025, 18:10–18:50  '
    """

    content: "Card"

    @property
    def html(self) -> str:
        """The card as an HTML page of A4 that needs nothing else."""
        from twin.reports.card_text import card_html  # noqa: PLC0415  # Jinja, for it alone

        return card_html(self.content)

    @property
    def markdown(self) -> str:
        """The card as Markdown, without its pictures."""
        from twin.reports.card_text import card_markdown  # noqa: PLC0415

        return card_markdown(self.content)

    @property
    def png(self) -> bytes:
        """The card as a picture of an A4 page."""
        from twin.reports.card_picture import card_png  # noqa: PLC0415

        return card_png(self.content)

    def with_notes(self, notes: str) -> "IncidentCard":
        """Return the card with notes of one's own.

        Parameters
        ----------
        notes : str
            Cut to what the page has room for.

        Returns
        -------
        IncidentCard
        """
        return IncidentCard(self.content.with_notes(notes))

    def save(self, path: str | Path) -> Path:
        """Write the card as a page, as text or as a picture.

        Parameters
        ----------
        path : str or Path
            Its ending says which: .html, .md or .png.

        Returns
        -------
        Path
            That of the file.

        Raises
        ------
        ValueError
            For another ending.
        """
        written = Path(path)
        match written.suffix.lower():
            case ".html" | ".htm":
                written.write_text(self.html, "utf-8")
            case ".md":
                written.write_text(self.markdown, "utf-8")
            case ".png":
                written.write_bytes(self.png)
            case _:
                raise ValueError(f"A card is saved as .html, .md or .png, not as “{written.name}”.")
        return written

    def __repr__(self) -> str:
        return f"<Card of {self.content.kitchen}, {self.content.when}: {self.content.title}>"

    def _repr_png_(self) -> bytes:
        return self.png


@dataclass(frozen=True)
class FoundMoment:
    """One row of `Kitchen.moments`: the moment itself, and its card."""

    moment: Moment
    _make: Callable[[Moment, AnyTime | None, str, str], IncidentCard]

    def card(self, notes: str = "", link: str = "", known_at: AnyTime | None = None) -> IncidentCard:
        """Return the moment's card.

        Parameters
        ----------
        notes : str, optional
            Of one's own, cut to what the page has room for.
        link : str, optional
            The address of a live page to lead to.
        known_at : time, optional
            As of when; by default with hindsight.

        Returns
        -------
        IncidentCard

        Examples
        --------
        >>> k = twin.open("demo").kitchen("sanfrancisco", day="2025-10-16")
        >>> k.moments[0].card(notes="Two drivers were ill.")
        <Card of San Francisco, Thursday 16 Oct 2025, ...: Drivers are short>
        """
        return self._make(self.moment, known_at, notes, link)

    def __repr__(self) -> str:
        return f"<Moment {self.moment.when}: {self.moment.title}>"
