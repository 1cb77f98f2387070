"""The page's own controls: copy link, report image, presentation, tour, help, and the keys that do not control the replay."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import param

from twin.analysis.metrics import COMPLETION_SPAN, TRAILING
from twin.foundation.settings import DELIVERY_TARGET_S, LATE_AFTER_S
from twin.foundation.stages import STALLED_AFTER
from twin.replay.controller import ReplayController
from twin.views.shared.component import Component, module_source, style_source, style_text
from twin.views.shared.view import ReplayView

HOUR, MINUTE = 3600.0, 60.0


def definitions(target: float = DELIVERY_TARGET_S, late_after: float = LATE_AFTER_S) -> list[list[str]]:
    """Return the definitions of the figures as [term, text] pairs; `target` and `late_after` in seconds, as in `Settings`.

    The numbers come from the modules that compute the figures, so that help and page cannot disagree.
    """
    oldest, youngest = COMPLETION_SPAN
    now = f"the {TRAILING / MINUTE:.0f} minutes up to the playhead"
    longest = f"{STALLED_AFTER / HOUR:.0f} hours"
    return [
        ["Stage", "The furthest step that an order has reached by the playhead, whatever the latest event says."],
        ["Orders per hour", f"Orders created in {now}."],
        [
            "Delivery time",
            f"From created to delivered, the mean of what was delivered in {now}; the target is {target / MINUTE:.0f} minutes. "
            f"Deliveries of over {longest} are left out and counted.",
        ],
        [
            "Completion rate",
            f"The delivered share of the orders created between {oldest / HOUR:.0f} hours and {youngest / MINUTE:.0f} minutes "
            "before the playhead; later ones may still be on the way.",
        ],
        ["Active orders", "Orders between their first event and delivery, neither cancelled nor stalled."],
        [
            "Time in a stage",
            f"The mean of the orders that moved on in {now}. The oldest is the one waiting longest now.",
        ],
        ["Meals waiting", "Ready and not yet picked up."],
        ["Late driver", f"Arrived more than {late_after / MINUTE:.0f} minutes after the food was ready."],
        ["Stalled", f"Open, and without any event for {longest}."],
        ["Usual", "The same hour on other days of this kitchen, never the day that is looked at."],
        [
            "Kitchen time",
            "The times of the data as they are written. Where they have an offset or a zone they are instants, shown in the "
            "kitchen’s own zone, whose name stands beside the clock. The zone of your computer plays no part.",
        ],
    ]


class ChromeBar(Component):
    """The controls in the browser."""

    place = param.String(default="", doc="Name of the location shown, for people; empty before the first one.")
    place_id = param.String(default="", doc="Id of the location shown, for file names.")
    waiting = param.String(default="", doc="What is being loaded; a skeleton is shown while this is not empty.")
    user = param.String(
        default="", doc="Address of the signed-in user's name, relative to the page; empty: there is none."
    )
    links = param.Dict(default={}, doc="Addresses of pages of others, by command (`ask`, `dashboard`); see links.js.")
    beside: list[list[Any]] = param.List(  # type: ignore[assignment]
        default=[],
        doc="What can be put beside this as [group, label, fields of an address]; see `beside` in twin/pages/ranges.py.",
    )
    without: list[str] = param.List(default=[], item_type=str, doc="Commands that this page has not, by name.")  # type: ignore[assignment]
    definitions = param.List(default=[], doc="[term, text] pairs of the help.")
    alerts: str = param.Selector(  # type: ignore[assignment]
        default="", objects=["", "on", "off"], doc="Whether there are alerts; empty: not to be said."
    )
    dark = param.Boolean(default=False, doc="Whether the page is dark; its button changes it.")

    from_browser: ClassVar[tuple[str, ...]] = ("dark",)
    _esm = module_source(Path(__file__).with_name("chrome.js"))
    _stylesheets: ClassVar[list[Any]] = [
        style_source(Path(__file__).with_name("chrome.css")) + style_text(Path(__file__).with_name("skeleton.css"))
    ]


class ChromeView(ReplayView):
    """The buttons of the page's header and what they open. One per page, because it handles the page's keys."""

    place: str = param.String(default="", doc="Name of the location shown, for captions.")  # type: ignore[assignment]
    place_id: str = param.String(default="", doc="Id of the location shown, for file names.")  # type: ignore[assignment]
    beside: list[list[Any]] = param.List(default=[], doc="As `ChromeBar.beside`.")  # type: ignore[assignment]
    waiting: str = param.String(  # type: ignore[assignment]
        default="", doc="What is being loaded, a sentence; the page shows a skeleton until this is empty again."
    )
    user: str = param.String(default="", doc="Address of the signed-in user's name, relative to the page.")  # type: ignore[assignment]
    dark: bool = param.Boolean(default=False, doc="Whether the page is dark; the user changes it.")  # type: ignore[assignment]
    target: float = param.Number(default=DELIVERY_TARGET_S, bounds=(1, None), doc="Promised delivery time, seconds.")  # type: ignore[assignment]

    def __init__(
        self,
        controller: ReplayController,
        on_cancel: Callable[[], object] = lambda: None,
        alerts: str = "",
        without: Sequence[str] = (),
        **params: Any,
    ) -> None:
        """`on_cancel()` is called when the user cancels loading; `alerts` is that of `ChromeBar`.

        `without` names commands that the page has not.
        """
        super().__init__(**{"target": controller.settings.delivery_target_s, **params})
        self._late_after = controller.settings.late_after_s
        offered = {"ask": controller.settings.ask_link, "dashboard": controller.settings.dashboard_link}
        links = {name: address for name, address in offered.items() if address}
        commands = {"links": links, "without": list(without)}
        self._bar = ChromeBar(margin=0, user=self.user, dark=self.dark, alerts=alerts, **commands)
        self._on_cancel = on_cancel
        self._bar.on_msg(self._on_message)
        self._bar.param.watch(lambda event: self.param.update(dark=event.new), "dark")
        self._bar.join(controller)
        self._bar.retry_with(partial(self.retry, controller))
        self._update_bar()
        self.param.watch(self._update_bar, ["place", "place_id", "beside", "waiting", "target", "dark"])

    def __panel__(self) -> ChromeBar:
        return self._bar

    def _on_message(self, event: Any) -> None:
        if event.data == {"act": "cancel"}:
            self._on_cancel()

    def _update_bar(self, *_: param.parameterized.Event) -> None:
        self._bar.param.update(
            place=self.place, place_id=self.place_id, waiting=self.waiting, dark=self.dark, beside=self.beside,
            definitions=definitions(self.target, self._late_after),
        )  # fmt: skip
