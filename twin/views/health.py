"""The data-health chip: how many raw rows the page stands on, how many were set aside, and why."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import param

from twin.views.component import Component, module_source, style_source
from twin.views.view import ReplayView

if TYPE_CHECKING:
    from twin.replay.controller import ReplayController
    from twin.timeline import Health


class HealthChip(Component):
    """The chip and its popover in the browser."""

    state = param.Dict(
        default={}, doc="`read`, `used`, `cut` orders, and the counted reasons `rejected` and `flagged`, largest first."
    )

    _esm = module_source("health.js")
    _stylesheets: ClassVar[list[Any]] = [style_source("health.css")]


class HealthView(ReplayView):
    """The account of every raw row of the controller's timeline; hidden while there is none."""

    def __init__(self, controller: "ReplayController", **params: Any) -> None:
        super().__init__(**params)
        self._controller = controller
        self._chip = HealthChip()
        self.reset()

    def __panel__(self) -> HealthChip:
        return self._chip

    def reset(self) -> None:
        """Show the account of the controller's timeline."""
        timeline = self._controller.timeline
        self._chip.visible = timeline is not None
        if timeline is not None:
            self._chip.state = _state(timeline.health)


def _state(health: "Health") -> dict[str, Any]:
    return {
        "read": health.read,
        "used": health.used,
        "rejected": _largest_first(health.rejected),
        "flagged": _largest_first(health.flagged),
        "cut": health.cut_orders,
    }


def _largest_first(counts: Mapping[str, int]) -> list[list[Any]]:
    """Return [reason, count] pairs, largest first, reasons without a row left out."""
    return [[reason, n] for reason, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if n]
