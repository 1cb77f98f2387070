"""The interface of a view towards its session."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import param
from param.parameterized import no_instance_params

from twin.replay.controller import ReplayController
from twin.timeline.timeline import Snapshot
from twin.views.shared.rows import Inserted

if TYPE_CHECKING:
    from twin.views.shared.component import Component


class ReplayView(pn.viewable.Viewer):
    """A view on a controller. The session calls its methods in its ticks; a view never creates a timer of its own.

    A view may fail, on data that nobody foresaw. Others must not wait for it, so whoever updates several views does it by
    `attempt`, and a view follows what others change by `follow`. Its panel then says that it failed, and shows nothing until the
    user lets it retry or another range is loaded.
    """

    def __init__(self, **params: Any) -> None:
        no_instance_params(type(self))  # as those of a `Component`
        super().__init__(**params)

    def __panel__(self) -> "Component":
        """Return the component that shows this view in the browser."""
        raise NotImplementedError

    def reset(self) -> None:
        """Use the controller's timeline, which may be another location or range."""

    def extend(self, inserted: Inserted) -> None:
        """Use the controller's timeline, a later one of the same kitchen: more has happened, and orders were `inserted`.

        Once a second while a kitchen is live. Whatever is seen must stay where it is; without an own way, all is sent again.
        """
        self.reset()

    def learn(self) -> None:
        """Use the controller's insights, which are computed some time after its timeline is loaded."""

    def show(self, snapshot: Snapshot) -> None:  # type: ignore[override]  # Viewer.show starts a server
        """Show a snapshot. A view that the browser draws by its own clock need not do anything."""

    # -- failures ----------------------------------------------------------------------------------------------------------
    def attempt(self, work: Callable[..., object], *given: Any) -> None:
        """Call `work(*given)`, which updates this view; an error is a failure of its panel and of nothing else.

        Nothing is done while the panel has failed: half updated, it could show anything.
        """
        panel = self.__panel__()
        if panel.failure:
            return
        try:
            work(*given)
        except Exception as error:  # whatever it is, the other panels go on
            panel.fail(error)

    async def attempt_answer(self, answer: Callable[[], Awaitable[None]]) -> None:
        """Await an answer to the panel's browser; an error is a failure of the panel, as in `attempt`."""
        try:
            await answer()
        except Exception as error:  # see `attempt`
            self.__panel__().fail(error)

    def follow(self, source: param.Parameterized, names: str | list[str], work: Callable[[], object]) -> None:
        """Call `work()`, by `attempt`, when these Params of a source that others follow, too, change."""
        source.param.watch(lambda *_: self.attempt(work), names)

    def begin_anew(self) -> None:
        """Use the controller's timeline; a failure on the previous one is over."""
        self.__panel__().failure = ""
        self.attempt(self.reset)

    def retry(self, controller: ReplayController) -> None:
        """Make the view whole after a failure, from all that the controller has."""
        self.reset()
        self.learn()
        if controller.timeline is not None:
            self.show(controller.timeline.at(controller.now()))
