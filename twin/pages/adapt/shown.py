"""What the form shows of a proposal and its check, as plain data for the browser; and what its controls choose."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from twin.foundation.times import text
from twin.sources.adapters.adapt import Check
from twin.sources.adapters.guess import Choices, Guess, Proposal
from twin.sources.adapters.mapping import MILESTONES, PING
from twin.sources.adapters.profile import Profile
from twin.sources.adapters.report import ROLES, SHAPES, role_name

LONGEST_SAMPLE = 60
"""Characters of a value that are shown."""

_PLACES = ("customer", "handover", "kitchen_place", "position")


def _axes(places: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{place}_{axis}" for place in places for axis in ("lat", "lon"))


GROUPS = {
    "wide": (
        ("Order", ("order_id", "kitchen")),
        ("When it was", MILESTONES),
        ("Where", (*_axes(_PLACES[:3]), "route")),
        ("What", ("brand", "item", "price", "quantity")),
    ),
    "long": (
        ("Event", ("order_id", "kitchen", "activity", "time", "sequence")),
        ("Where", (*_axes(_PLACES), "route")),
        ("What", ("brand", "item", "price", "quantity")),
    ),
}
"""The roles that a column can be given, by shape, in groups."""


def proposal_state(source: str, proposal: Proposal, profile: Profile, choices: Choices) -> dict[str, Any]:
    """Return the state of the form for a proposal."""
    columns = [guess for guess in proposal.guesses if not guess.is_activity]
    activities = [guess for guess in proposal.guesses if guess.is_activity]
    return {
        "status": "ready",
        "source": source,
        "rows": profile.rows,
        "shape": proposal.shape,
        "shapes": [[shape, words] for shape, words in SHAPES.items()],
        "groups": [[title, [[role, ROLES[role]] for role in roles]] for title, roles in GROUPS[proposal.shape]],
        "events": [[event, ROLES[event]] for event in (*MILESTONES, PING)],
        "columns": [_guess(guess) for guess in columns],
        "activities": [_guess(guess) for guess in activities],
        "questions": [{"column": one.column, "kind": one.kind, "sentence": one.sentence} for one in proposal.questions],
        "notes": list(proposal.notes),
        "lacks": proposal.lacks,
        "corrected": choices != Choices(),
        "yaml": proposal.mapping.yaml() if proposal.mapping else "",
        "busy": False,
        "saving": False,
        "problem": "",
    }


def check_state(check: Check, is_wide: bool) -> dict[str, Any]:
    """Return what the form shows of a check: counts, the process, and the previewed orders."""
    quality = check.quality
    longest = max((max(order.times.values()) - min(order.times.values()) for order in check.preview), default=0.0)
    return {
        "status": "ready",
        "is_wide": is_wide,
        "read": quality.read,
        "used": quality.used,
        "aside": quality.read - quality.used,
        "reasons": sorted(quality.rejected.items(), key=lambda item: -item[1]),
        "flags": sorted(quality.flagged.items(), key=lambda item: -item[1]),
        "orders": check.orders,
        "kitchens": check.kitchens,
        "process": [
            {
                "event": milestone,
                "name": role_name(milestone),
                "orders": check.reached[milestone],
                "after": duration(check.after_s[milestone]),
                "wrong": check.contradictions.get(milestone, 0),
            }
            for milestone in sorted(check.reached, key=lambda one: (check.after_s[one], MILESTONES.index(one)))
        ],
        "preview": [
            {
                "order": order.order_id,
                "kitchen": order.location,
                "begin": text(min(order.times.values())),
                "times": [
                    [kind, role_name(kind), at - min(order.times.values()), text(at)]
                    for kind, at in order.times.items()
                ],
                "wrong": order.contradicts(),
            }
            for order in check.preview
        ],
        "longest": longest,
        "scale": duration(longest),
    }


def duration(seconds: float) -> str:
    """Return a duration in words.

    >>> duration(0), duration(90), duration(5400), duration(200_000)
    ('0 min', '1.5 min', '1 h 30 min', '2.3 days')
    """
    minutes = seconds / 60
    if minutes < 10:
        return f"{minutes:.1f} min".replace(".0 ", " ")
    if minutes < 60:
        return f"{minutes:.0f} min"
    if minutes < 24 * 60:
        return f"{int(minutes // 60)} h {int(minutes % 60)} min"
    return f"{minutes / 1440:.1f} days"


def with_event(choices: Choices, label: str, event: str) -> Choices:
    """Return the choices with what an activity means."""
    return replace(choices, events={**choices.events, label: event})


def with_shape(choices: Choices, shape: Literal["wide", "long", ""]) -> Choices:
    """Return the choices with what a row is."""
    return replace(choices, shape=shape)


def _guess(guess: Guess) -> dict[str, Any]:
    return {
        "name": guess.name,
        "role": guess.role,
        "says": role_name(guess.role),
        "verdict": guess.verdict,
        "confidence": round(guess.confidence * 100),
        "reason": guess.reason,
        "wrong": guess.wrong,
        "orders": guess.orders,
        "samples": [sample[:LONGEST_SAMPLE] for sample in guess.samples],
    }
