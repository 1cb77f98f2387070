"""The states of a kitchen as the browser plays them by its own clock (kitchen_state.js)."""

from typing import Any

from twin.analysis.insights import Insights
from twin.analysis.kitchen_state import STATES, StateLog
from twin.foundation.cache import shared


def states_to_browser(insights: Insights | None) -> dict[str, Any]:
    """Return the stretches of one state: `t` their begins (data seconds), `state` names, `head` indices in `heads`, in words.

    Empty where the states are not known.
    """
    if insights is None or insights.states is None:
        return {}
    window = insights.timeline.window
    return _spells(insights.states, window.start, window.end)


@shared()
def _spells(states: StateLog, start: float, end: float) -> dict[str, Any]:
    spells = list(states.spells(start, end))
    heads = list(dict.fromkeys(spell.head for spell in spells))
    number = {head: place for place, head in enumerate(heads)}
    return {
        "t": [spell.begin for spell in spells],
        "state": [STATES[spell.state] for spell in spells],
        "head": [number[spell.head] for spell in spells],
        "heads": heads,
    }
