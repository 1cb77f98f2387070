"""The page at /adapt: what the columns of the configured source probably mean, to be corrected and stored beside the data.

It looks at the source that the server was started with and at nothing else, writes one file beside it and never replaces one, and
is closed once the source is open.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import panel as pn
import param

from twin.foundation.errors import ConfigError, TwinError
from twin.pages.adapt import shown
from twin.pages.plain_page import begin_page
from twin.server.newest import Newest
from twin.server.process import Process, process
from twin.sources import file_paths
from twin.sources.adapters import mapping as mappings
from twin.sources.adapters.choosing import answered, assign
from twin.sources.adapters.guess import Choices, Proposal
from twin.sources.adapters.mapping import MILESTONES, PING
from twin.sources.adapters.report import ROLES
from twin.views.shared.component import Component, module_source, style_source

if TYPE_CHECKING:
    from panel.models.esm import DataEvent

log = logging.getLogger(__name__)

TITLE = "Columns of your own"
CHOSEN_ROLES = frozenset(ROLES) - {"date", PING}
EVENTS = frozenset((*MILESTONES, PING, ""))


def serve_adapt() -> None:
    """Put the page into the current document."""
    begin_page(TITLE)
    view = AdaptView(process)
    pn.state.onload(view.begin)
    pn.Column(view, sizing_mode="stretch_width", margin=0).servable()


class AdaptForm(Component):
    """The form in the browser; `state["status"]` is one of loading, ready, error, saved."""

    apart = True

    state = param.Dict(default={"status": "loading"}, doc="What to show: see `twin.pages.adapt.shown`.")

    _esm = module_source(Path(__file__).with_name("adapt.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("adapt.css"))]


class AdaptView(pn.viewable.Viewer):
    """The proposal for the source of a process, with a session's own corrections."""

    def __init__(self, of: Process, **params: Any) -> None:
        super().__init__(**params)
        self._process = of
        self._choices = Choices()
        self._proposal: Proposal | None = None
        self._newest = Newest()
        self._form = AdaptForm(sizing_mode="stretch_width", margin=0)
        self._form.on_msg(self._on_message)

    def __panel__(self) -> AdaptForm:
        return self._form

    @property
    def state(self) -> dict[str, Any]:
        """What the form shows."""
        return dict(self._form.state)

    async def begin(self) -> None:
        """Look at the files, and show what they probably mean."""
        await self._newest.ask(self._propose)

    async def _propose(self) -> None:
        """Show the proposal under the current choices, then what it makes of all rows."""
        choices = self._choices
        try:
            adaptation = await asyncio.to_thread(self._process.adaptation)
            proposal = await asyncio.to_thread(adaptation.propose, choices)
        except TwinError as error:
            self._fail(error)
            return
        self._proposal = proposal
        source = Path(self._process.settings.source)
        state = shown.proposal_state(source.name, proposal, adaptation.profile, choices)
        mapping = proposal.mapping
        self._form.state = {**state, "check": {"status": "counting"} if mapping else None}
        if mapping is None or choices is not self._choices:
            return
        try:
            check = await asyncio.to_thread(adaptation.check, mapping)
        except TwinError as error:
            self._show_check(choices, {"status": "error", "message": self._words(error)})
        else:
            self._show_check(choices, shown.check_state(check, mapping.shape == "wide"))

    def _show_check(self, choices: Choices, check: dict[str, Any]) -> None:
        if choices is self._choices:  # otherwise it is of a proposal that has been corrected since
            self._form.state = {**self._form.state, "check": check}

    async def _save(self) -> None:
        """Write the adapter beside the data, and open the source with it."""
        mapping = self._proposal.mapping if self._proposal else None
        if mapping is None:
            return
        source = self._process.settings.source
        path = Path(file_paths.adapter_beside(source))
        before = self._form.state
        self._form.state = {**before, "saving": True, "problem": ""}
        try:
            await asyncio.to_thread(mappings.write, mapping, path, Path(source).name)
            await asyncio.to_thread(self._process.hub)
        except TwinError as error:
            self._form.state = {**before, "saving": False, "problem": self._words(error)}
            return
        log.info("an adapter was written: %s", path.name)
        self._form.state = {"status": "saved", "file": path.name, "source": Path(source).name}

    def _words(self, error: TwinError) -> str:
        return self._process.without_folder(str(error))

    def _fail(self, error: TwinError) -> None:
        self._form.state = {"status": "open" if self._process.is_open else "error", "message": self._words(error)}

    def _on_message(self, event: "DataEvent") -> None:
        """Take a correction. Raises ValueError for a message that no form sends."""
        match event.data:
            case {"save": True}:
                self._run(self._save)
            case {"retry": True}:
                self._run(self._propose)
            case {"reset": True}:
                self._choose(Choices())
            case {"column": str() as column, "role": str() as role}:
                if not self._has(column) or role not in {*CHOSEN_ROLES, ""}:
                    raise ValueError("there is no such column or role.")
                self._choose(assign(self._choices, column, role))
            case {"label": str() as label, "event": str() as kind}:
                if not self._has(label, is_activity=True) or kind not in EVENTS:
                    raise ValueError("there is no such activity or event.")
                self._choose(shown.with_event(self._choices, label, kind))
            case {"shape": ("wide" | "long" | "") as shape}:
                self._choose(shown.with_shape(self._choices, shape))
            case {"question": str() as kind, "column": str() as column, "answer": str() as answer}:
                self._answer(kind, column, answer)
            case _:
                raise ValueError("it is no message of this page.")

    def _answer(self, kind: str, column: str, answer: str) -> None:
        try:
            self._choose(answered(self._choices, kind, column, answer))
        except ConfigError as error:
            self._form.state = {**self._form.state, "problem": str(error)}

    def _has(self, name: str, is_activity: bool = False) -> bool:
        guesses = self._proposal.guesses if self._proposal else ()
        return any(guess.name == name and guess.is_activity is is_activity for guess in guesses)

    def _choose(self, choices: Choices) -> None:
        self._choices = choices
        self._form.state = {**self._form.state, "busy": True, "problem": ""}
        self._run(self._propose)

    def _run(self, work: Callable[[], Any]) -> None:
        pn.state.execute(partial(self._newest.ask, work))
