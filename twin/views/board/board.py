"""The board: a row for each kitchen with its state and figures, those with most harm above, as a show plays."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import param
from numpy.typing import NDArray

from twin.analysis.board import MINUTE, Board, BoardKitchen
from twin.replay.controller import ReplayController
from twin.views.shared.component import Component, module_source, style_source
from twin.views.shared.view import ReplayView


class BoardRows(Component):
    """The rows in the browser, which fills them in by its own clock: nothing is sent while they play."""

    board: dict[str, Any] = param.Dict(  # type: ignore[assignment]
        default={},
        doc="`start`, data seconds; `every`, seconds between values; `kitchens`: `name`, `heads`, and by minute `head` (an index "
        "in `heads`), `state`, and figures (null: unknown) as in `BoardKitchen`; `order`: the kitchens' places by minute, the "
        "worst first. Empty: no board.",
    )

    _esm = module_source(Path(__file__).with_name("board.js"))
    _stylesheets: ClassVar[list[Any]] = [style_source(Path(__file__).with_name("board.css"))]


class BoardView(ReplayView):
    """All kitchens of a scene; without one it is not seen."""

    def __init__(self, controller: ReplayController, **params: Any) -> None:
        super().__init__(**params)
        self._rows = BoardRows(visible=False, sizing_mode="stretch_both")
        self._rows.join(controller)
        self._rows.retry_with(lambda: self.retry(controller))

    def __panel__(self) -> BoardRows:
        return self._rows

    def begin(self, board: Board | None) -> None:
        """Show a board; None shows none."""
        self._rows.param.update(board={} if board is None else board_message(board), visible=board is not None)


def board_message(board: Board) -> dict[str, Any]:
    """Return a board for the browser."""
    return {
        "start": board.start,
        "every": MINUTE,
        "kitchens": [_kitchen(one) for one in board.kitchens],
        "order": [board.ranking(at) for at in range(board.minutes)],
    }


def _kitchen(one: BoardKitchen) -> dict[str, Any]:
    heads = list(dict.fromkeys(one.head))
    number = {head: place for place, head in enumerate(heads)}
    figures = ("orders", "usual", "deliveries", "late", "took", "waiting", "on_road")
    return {
        "name": one.name,
        "heads": heads,
        "head": [number[head] for head in one.head],
        "state": one.state,
        "level": one.level.tolist(),
        **{name: _known(getattr(one, name)) for name in figures},
    }


def _known(values: NDArray[np.float64]) -> list[int | None]:
    return [None if np.isnan(value) else round(value) for value in values.tolist()]
