"""The API's query parameters: one pydantic model per set; an unknown parameter is an error that names it.

Descriptions are part of the OpenAPI document.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from twin.api.instants import TimeParameter
from twin.api.models import Granularity, LedgerGroup
from twin.api.position import POSITION, StreamPosition
from twin.replay.clock import MAX_SPEED

LARGEST_PAGE = 1000


class Parameters(BaseModel):
    """No parameter at all; base of the others."""

    model_config = ConfigDict(extra="forbid")


class Range(Parameters):
    """A range [start, end); without one, the last 24 hours of the location's data, as the dashboard opens."""

    start: TimeParameter | None = Field(default=None, description="Start of the range, itself included.")
    end: TimeParameter | None = Field(default=None, description="End of the range, itself left out.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class MomentsQuery(Range):
    known_at: TimeParameter | None = Field(
        default=None,
        description="Only the troubles that were going on at this time, or had ended up to 10 minutes before, found and counted "
        "in what had happened by then. Without a range, that of its day.",
    )


class LedgerQuery(Range):
    by: LedgerGroup = Field(
        default="cause", description="Accounts of each hour, day or brand as well; cause: of the whole range alone."
    )
    known_at: TimeParameter | None = Field(
        default=None, description="Only what had been delivered by then; without it: what is known today."
    )


class BucketedRange(Range):
    granularity: Granularity = Field(default="hour", description="Length of a bucket.")


class AtTime(Parameters):
    at_time: TimeParameter | None = Field(
        default=None,
        description="The moment; by default now: the latest event time of a source that grows, else the end of the last 24 hours "
        "of the location's data.",
    )


class NetworkQuery(Parameters):
    at_time: TimeParameter | None = Field(
        default=None,
        description="The moment; by default the end of the kitchens' last seven days, as the page has them.",
    )
    brand: str | None = Field(
        default=None,
        max_length=200,
        description="Only the kitchens that cook for this brand (its name), with figures of its orders alone; the state and the "
        "troubles stay the kitchen's, and what is usual is null.",
    )
    limit: int = Field(default=50, ge=1, le=50, description="Most kitchens in an answer.")
    offset: int = Field(default=0, ge=0, le=1_000_000, description="`next_offset` of the answer before.")


class OneOrder(Parameters):
    location: str | None = Field(
        default=None, description="Where it was, if an id is in use at several locations; else the first to use it."
    )


class EventFilter(Range):
    type: str | None = Field(default=None, description="Only these event types, separated by commas.")
    order_id: str | None = Field(default=None, description="Only this order's events.")
    limit: int = Field(default=100, ge=1, le=LARGEST_PAGE, description="Most events on a page.")
    cursor: Annotated[StreamPosition | None, *POSITION] = Field(
        default=None, description="`next_cursor` of the page before, or any event_id: begin after it."
    )


class ReplayQuery(Range):
    """A range that is named in full, and how it is played."""

    start: TimeParameter = Field(description="Start of the range, itself included.")
    end: TimeParameter = Field(description="End of the range, itself left out.")
    speed: float = Field(
        default=60,
        ge=0,
        le=MAX_SPEED,
        allow_inf_nan=False,
        description="Data seconds per second; 0: as fast as it can be read.",
    )
    from_time: Annotated[StreamPosition | None, *POSITION] = Field(
        default=None, description="Begin here instead of at start: a time, or the id of the last message that was read."
    )


class LiveQuery(Parameters):
    after: str | None = Field(
        default=None,
        max_length=100,
        description="Go on here: the id of the last message that was read. Without it, from now on.",
    )
