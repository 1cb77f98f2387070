"""Targets and limits that a business sets for itself: what counts as late, as too long, as good enough.

They come from the environment, because one process serves one business, and are read once, when the process starts.
Times are given there in minutes, as people think of them, and kept here in seconds, as everything else is.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from twin.foundation.errors import ConfigError
from twin.foundation.stages import COMPLETED, STAGES

MINUTE = 60.0

MOST_AT_ONCE = 100_000
"""Orders that no kitchen cooks at once."""

MOST_DRAWN = 1_000_000
"""Drivers that no browser draws one by one."""

LONGEST_MIN = 24 * 60.0
"""Minutes beyond which a target is surely a slip of the hand, such as seconds given for minutes."""

STAGE_AMBER: Mapping[str, float] = MappingProxyType(
    {"created": 4 * MINUTE, "cooking": 16 * MINUTE, "ready": 12 * MINUTE, "out_for_delivery": 20 * MINUTE}
)
STAGE_RED: Mapping[str, float] = MappingProxyType(
    {"created": 5 * MINUTE, "cooking": 20 * MINUTE, "ready": 15 * MINUTE, "out_for_delivery": 30 * MINUTE}
)
"""Seconds in a stage after which an order is unusual (amber) or out of the ordinary (red): the kitchens' mean plus two and
three standard deviations (2 ± 1, 10 ± 3 and 8 ± 2 minutes), rounded; on the road, red is the promised delivery time."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is promised and tolerated; times in seconds, shares 0..1, stage limits per stage key.

    >>> Settings.from_environment({"TWIN_DELIVERY_TARGET_MIN": "25"}).delivery_target_s
    1500.0
    >>> Settings.from_environment({"TWIN_STAGE_RED_MIN": "ready=10"}).stage_red_s["ready"]
    600.0
    """

    delivery_target_s: float = 30 * MINUTE
    late_after_s: float = 5 * MINUTE
    completion_target: float = 0.95
    stage_amber_s: Mapping[str, float] = field(default_factory=lambda: STAGE_AMBER)
    stage_red_s: Mapping[str, float] = field(default_factory=lambda: STAGE_RED)
    capacity: Mapping[str, int] = field(default_factory=dict)
    """Orders that a kitchen can cook at once, by location id; without it, what it has shown that it can."""
    refresh_s: float = 10 * MINUTE
    """What is known of a table that grows may be so old when somebody chooses a kitchen or a range; then it is asked again."""
    glyphs_to: int = 250
    """Drivers on the road up to which the map draws each as a glyph; more are written pixel by pixel, several times as fast."""
    dense_from: int = 20_000
    """Drivers on the road, and in view, above which the map shows their density: a browser draws so many smoothly."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; what is not set keeps its default. Raises ConfigError for what makes no sense."""
        default = cls()
        target = _minutes(environment, "TWIN_DELIVERY_TARGET_MIN", default.delivery_target_s)
        red = _stages(environment, "TWIN_STAGE_RED_MIN", default.stage_red_s)
        amber = _stages(environment, "TWIN_STAGE_AMBER_MIN", default.stage_amber_s)
        if "TWIN_STAGE_AMBER_MIN" not in environment:  # only the red ones were moved: amber stays below them
            amber = {key: min(limit, red[key]) for key, limit in amber.items()}
        for key, limit in amber.items():
            if limit > red[key]:
                raise ConfigError(
                    f"TWIN_STAGE_AMBER_MIN: {key}={limit / MINUTE:g} is above the red limit, {red[key] / MINUTE:g} "
                    "minutes. Give a smaller one, or raise TWIN_STAGE_RED_MIN."
                )
        return cls(
            delivery_target_s=target,
            late_after_s=_minutes(environment, "TWIN_LATE_AFTER_MIN", default.late_after_s),
            completion_target=_percent(environment, "TWIN_COMPLETION_TARGET_PERCENT", default.completion_target),
            stage_amber_s=MappingProxyType(amber),
            stage_red_s=MappingProxyType(red),
            capacity=_capacities(environment, "TWIN_KITCHEN_CAPACITY"),
            refresh_s=_minutes(environment, "TWIN_REFRESH_MIN", default.refresh_s),
            glyphs_to=_drivers(environment, "TWIN_GLYPH_DRIVERS", default.glyphs_to),
            dense_from=_drivers(environment, "TWIN_DENSE_DRIVERS", default.dense_from),
        )


@cache
def current() -> Settings:
    """Return the process's settings."""
    return Settings.from_environment()


def _minutes(environment: Mapping[str, str], name: str, default_s: float) -> float:
    text = environment.get(name, "").strip()
    return _number(text, name, LONGEST_MIN, "minutes, such as 30") * MINUTE if text else default_s


def _percent(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "").strip()
    return _number(text, name, 100, "percent, such as 95") / 100 if text else default


def _drivers(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "").strip()
    return round(_number(text, name, MOST_DRAWN, "drivers, such as 20000")) if text else default


def _stages(environment: Mapping[str, str], name: str, default_s: Mapping[str, float]) -> dict[str, float]:
    """Read "cooking=15,ready=10": minutes per stage; stages that are not named keep their default."""
    limits = dict(default_s)
    for part in filter(None, (part.strip() for part in environment.get(name, "").split(","))):
        key, _, text = (piece.strip() for piece in part.partition("="))
        if key not in STAGES[:COMPLETED]:
            raise ConfigError(
                f"{name}: there is no stage {key!r}. Name {', '.join(STAGES[:COMPLETED])}, as in ready=10,cooking=15."
            )
        limits[key] = _number(text, f"{name}, {key}", LONGEST_MIN, "minutes, as in ready=10") * MINUTE
    return limits


def _capacities(environment: Mapping[str, str], name: str) -> Mapping[str, int]:
    """Read "sanfrancisco=60,chicago=45": orders that a kitchen can cook at once."""
    capacities = {}
    for part in filter(None, (part.strip() for part in environment.get(name, "").split(","))):
        location, _, number = (piece.strip() for piece in part.partition("="))
        capacities[location] = round(_number(number, f"{name}, {location}", MOST_AT_ONCE, "orders, as in chicago=45"))
    return MappingProxyType(capacities)


def _number(text: str, where: str, most: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= most:  # false for NaN
        raise ConfigError(f"{where} is {text!r}: it must be over 0 and at most {most:g} {what}. Mend or unset it.")
    return value
