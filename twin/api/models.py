"""The API's answers: one pydantic model per shape, from which the OpenAPI document is made.

Names and shapes are a contract with client programs (docs/api.md): fields are added, never renamed. Docstrings and
descriptions are part of that document. Times are ISO 8601 with Z, durations minutes, shares percent, unknown values null.
"""

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from twin.analysis.kitchen_state import SIGNALS, STATES
from twin.analysis.ledger import PARTS
from twin.analysis.limits import LEVELS
from twin.analysis.moments import DETECTORS, HISTORY, KINDS
from twin.api.instants import EXAMPLE, write
from twin.foundation.stages import STAGES

Time = Annotated[
    dt.datetime,
    PlainSerializer(write, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [EXAMPLE]}),
]
Stage = Annotated[str, Field(json_schema_extra={"enum": list(STAGES)})]
Kind = Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]
Trend = Annotated[str, Field(json_schema_extra={"enum": ["improving", "flat", "declining"]})]
Status = Annotated[str, Field(json_schema_extra={"enum": ["completed", "in_progress", "cancelled"]})]
KitchenState = Annotated[str, Field(json_schema_extra={"enum": list(STATES)})]
Level = Annotated[str, Field(json_schema_extra={"enum": ["amber", "red"]})]
Signal = Annotated[str, Field(json_schema_extra={"enum": list(SIGNALS)})]
Count = Annotated[int, Field(ge=0)]
Granularity = Literal["hour", "day", "week"]
LedgerGroup = Literal["cause", "hour", "day", "brand"]


class Answer(BaseModel):
    """Base of all answers: strict about its own names, so that a slip is an error in our tests and not in a client."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null")


class DateRange(Answer):
    start: Time
    end: Time


class LocationConfig(Answer):
    """A kitchen that the source has events of."""

    location_name: str = Field(description="The id, as other addresses take it.")
    display_name: str
    gk_lat: float | None = Field(
        description="From the source's table of locations, else the median start of the routes; null where neither tells."
    )
    gk_lon: float | None
    radius_mi: float | None = Field(
        description="Delivery radius: configured, else the 95th percentile of the customers' distance."
    )
    total_orders: Count
    time_zone: str | None = Field(
        description="IANA zone of the kitchen, whose days and hours are meant by buckets and by today; times are then true UTC. "
        "Null for naive times, which are the kitchen's own clock whatever `Z` says."
    )
    date_range: DateRange = Field(description="First and last event.")


class Locations(Answer):
    locations: list[LocationConfig] = Field(description="The busiest first.")


class RangeMetrics(Answer):
    """The orders that began in the range: by their order_created, else by their first event."""

    total_orders: Count
    delivered_orders: Count = Field(description="Delivered whenever that was, perhaps after the range.")
    cancelled_orders: Count
    avg_delivery_time_min: float | None = Field(description="From created to delivered, mean of `timed_orders`.")
    timed_orders: Count
    excluded_orders: Count = Field(
        description="Delivered after more than 4 hours (or less than none): left out of the mean."
    )
    completion_rate_pct: float | None = Field(
        description="Delivered share of the orders; null without an order, or if no delivery is ever recorded."
    )
    total_revenue: float | None = Field(
        description="Price × quantity of every item; the data names no currency. Null if no item of the orders has a price."
    )


class Bucket(Answer):
    timestamp: Time = Field(description="Start of the hour, day or week (Monday).")
    order_count: Count
    avg_delivery_time: float | None = Field(description="Minutes; null where no delivery tells.")


class TimeRange(Answer):
    location: str
    start: Time
    end: Time
    granularity: Granularity
    metrics: RangeMetrics
    hourly_breakdown: list[Bucket] = Field(description="By `granularity`, without gaps as far as the data reaches.")


class Event(Answer):
    event_type: str
    timestamp: Time
    data: dict[str, Any] = Field(
        description="order_created and driver_picked_up as they were written; driver_ping: lat, lon, progress_pct; "
        "delivered: delivered_lat, delivered_lon; else empty."
    )


class LoggedEvent(Event):
    order_id: str
    sequence: float | None
    event_id: str = Field(
        description="Position in the log, good as `cursor` and as `Last-Event-ID`: what follows this event."
    )


class Events(Answer):
    location: str
    events: list[LoggedEvent] = Field(
        description="In the order (timestamp, sequence, order_id, event_type), copies left out."
    )
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null at the end.")


class OrderedItem(Answer):
    item_name: str | None
    quantity: float
    brand: str | None
    price: float | None = Field(description="Of one; null where the data has none.")


class StageSpan(Answer):
    stage: Stage
    entered_at: Time
    left_at: Time | None = Field(description="null while it lasts.")
    duration_min: float | None


class Milestones(Answer):
    """When each event of the lifecycle came first; null where the data has none."""

    order_created: Time | None
    gk_started: Time | None
    gk_finished: Time | None
    gk_ready: Time | None
    driver_arrived: Time | None
    driver_picked_up: Time | None
    delivered: Time | None
    order_cancelled: Time | None


class OrderLifecycle(Answer):
    """An order from its first event to its last."""

    order_id: str
    location: str
    created_at: Time | None
    delivered_at: Time | None
    total_duration_min: float | None = Field(description="From created to delivered.")
    status: Status
    customer_address: str | None
    revenue: float | None = Field(description="Null if none of its items has a price.")
    items: list[OrderedItem]
    milestones: Milestones
    stages: list[StageSpan]
    food_waited_min: float | None = Field(description="The meal was ready and no driver there.")
    driver_waited_min: float | None = Field(description="The driver was there and the meal not ready.")
    promised_min: float | None = Field(description="Minutes of driving promised at pick-up, where the data has them.")
    events: list[Event]


class StageCounts(Answer):
    created: Count
    cooking: Count
    ready: Count
    out_for_delivery: Count
    completed: Count = Field(description="Delivered since the midnight of the moment's day.")


class ActiveOrder(Answer):
    order_id: str
    stage: Stage
    time_in_stage_min: float
    since: Time


class DriverPosition(Answer):
    """A driver between pick-up and delivery."""

    order_id: str
    timestamp: Time
    lat: float | None
    lon: float | None
    heading: float | None = Field(description="Degrees, clockwise from north.")
    progress_pct: float = Field(description="Share of the way.")
    estimated_arrival: Time | None = Field(
        description="From what was known at the moment, never from the delivery itself."
    )
    measured: bool = Field(description="Between two position reports; else inferred.")


class StageTimes(Answer):
    stage: Stage
    service_time_min: float | None = Field(
        description="Mean time in it, of the orders that moved on in the last 60 minutes."
    )
    served: Count
    avg_age_min: float | None = Field(description="Mean time so far, of the orders in it now.")
    oldest_min: float | None
    entered: Count = Field(description="Orders that entered it in the last 60 minutes.")


class DriverSupply(Answer):
    """Drivers of a kitchen. Who is free is not known: the data names no drivers."""

    on_road: Count = Field(description="With an order between pick-up and delivery.")
    waiting_at_kitchen: Count | None = Field(
        description="Arrived for a meal and not gone with it; null if no arrival is ever recorded."
    )
    ready_per_hour: Count = Field(description="Meals that became ready in the last 60 minutes.")
    picked_up_per_hour: Count = Field(description="Meals that were picked up in the last 60 minutes.")
    gap_per_hour: int = Field(
        description="ready_per_hour − picked_up_per_hour: the pick-ups that were short; negative while catching up."
    )


class OverLimit(Answer):
    """A figure that is over its limit."""

    signal: Signal
    level: Level
    words: str


class KitchenMetrics(Answer):
    """A kitchen at one moment; events at the moment itself have happened."""

    location: str
    timestamp: Time
    orders_by_stage: StageCounts
    cancelled: Count = Field(description="Since midnight.")
    stalled: Count = Field(description="Without an event for 4 hours, since midnight.")
    throughput_per_hour: float | None = Field(description="Orders created in the last 60 minutes.")
    avg_service_time_min: float | None = Field(
        description="Mean time in Cooking, of those who left it in the last 60 minutes."
    )
    avg_delivery_time_min: float | None = Field(description="Of the deliveries of the last 60 minutes.")
    completion_rate_pct: float | None = Field(
        description="Delivered share of the orders created 24 hours to 90 minutes before."
    )
    capacity_utilization_pct: float | None = Field(description="Orders in Cooking in percent of `capacity_orders`.")
    capacity_orders: Count | None = Field(
        description="TWIN_KITCHEN_CAPACITY where it names the location, else the most orders it ever cooked at once."
    )
    capacity_source: str | None = Field(description='"configured" or "observed".')
    stages: list[StageTimes]
    cold_meals: Count | None = Field(
        description="Meals in Ready now that have stood longer than TWIN_COLD_AFTER_MIN; null if the data knows no ready event."
    )
    state: KitchenState | None = Field(
        description="At the last full minute, by the limits of its figures; null if the days around it cannot be read."
    )
    over_limits: list[OverLimit] = Field(
        description="What is over its limit at that minute, the worst first. Of a calm kitchen: what is so on other days, too."
    )
    driver_supply: DriverSupply | None = Field(description="Null if the data tells of no waiting meals or no drives.")


class KitchenStatus(KitchenMetrics):
    """A kitchen at one moment, with its open orders and its drivers on the road."""

    active_orders: list[ActiveOrder]
    drivers: list[DriverPosition]


class BrandPerformance(Answer):
    brand_id: str
    brand_name: str
    order_count: Count = Field(description="Orders with an item of it; an order of several brands counts for each.")
    revenue: float | None = Field(description="Of its own items; null if none of them has a price.")
    avg_delivery_time_min: float | None
    trend: Trend | None = Field(
        description="Its share of the later half of the range's orders against the earlier; null under 20 orders."
    )


class Brands(Answer):
    location: str
    start: Time
    end: Time
    brands: list[BrandPerformance] = Field(description="The one with most orders first.")


class MomentOfInterest(Answer):
    kind: Kind
    label: str
    start: Time
    end: Time
    at: Time = Field(description="When it is worst: the moment to look at.")
    severity: float = Field(ge=0, le=1)
    title: str
    sentence: str
    why: str = Field(
        default="",
        description="What the late minutes of the orders that began then were made of; empty where none was late.",
    )
    stage: Stage | None
    figures: dict[str, float]


class NetworkTrouble(Answer):
    kind: Kind
    title: str
    sentence: str
    start: Time
    end: Time = Field(description="The last fifth minute while it goes on.")
    at: Time
    severity: float = Field(ge=0, le=1)


class Moments(Answer):
    location: str
    start: Time
    end: Time
    known_at: Time | None = Field(
        default=None,
        description="Nothing later was used; a trouble that was going on ends then. Without it: hindsight.",
    )
    moments: list[MomentOfInterest] = Field(description="The most remarkable first.")
    failed: list[str] = Field(
        default=[],
        description="Detectors that did not work on this range, as the server's log has it: "
        f"{', '.join(DETECTORS)}; {HISTORY}: the days around it. Usually empty.",
    )


class LedgerCause(Answer):
    """One part of the delivery times of a group of orders, and what it made late."""

    part: Annotated[str, Field(json_schema_extra={"enum": [*PARTS, "usual"]})]
    label: str
    mean_min: float | None = Field(
        description="Mean; the parts add up to the delivery time. For usual: the usual time."
    )
    usual_min: float | None = Field(description="At that hour on other days. For usual: the promised time.")
    late_min: float = Field(description="Minutes beyond the promise; negative where it saved some.")
    late_orders: float = Field(description="Its share of the late orders, as a Shapley value.")
    late_alone: Count | None = Field(description="Orders that it alone would have made late; null for usual.")
    late_needed: Count | None = Field(
        description="Late orders that would have been in time without it; null for usual."
    )


class SharedTrait(Answer):
    """A trait that is more frequent among the late orders than among those in time, beyond what chance does."""

    kind: str
    label: str
    share: float = Field(description="Of the late orders, percent.")
    rest: float = Field(description="Of those in time, percent.")
    low: float = Field(description="The 95 % interval of the difference, percentage points.")
    high: float
    orders: Count = Field(description="Late orders that have it.")
    chance: float = Field(description="Probability of so many by chance, corrected for all traits that were looked at.")


class ShelfFigures(Answer):
    """How long the finished meals of some orders stood before they were picked up; one still standing counts so far."""

    meals: Count = Field(description="Those of which the record says when they were finished.")
    cold: Count = Field(description="Those that stood longer than `cold_after_min`.")
    cold_pct: float | None = Field(description="Null where no meal counts.")
    cold_after_min: float = Field(description="TWIN_COLD_AFTER_MIN.")
    median_min: float | None
    p95_min: float | None


class PromiseFigures(Answer):
    """What some delivered orders had been promised, whether it was kept, and what was to be expected when it was promised."""

    kind: Annotated[str, Field(json_schema_extra={"enum": ["target", "estimate"]})] = Field(
        description="target: at the order, the delivery target. estimate: at pick-up, the driver's `eta_mins` for the drive."
    )
    orders: Count
    promised_min: float = Field(description="Mean.")
    took_min: float = Field(description="Mean, from when it was promised.")
    kept_pct: float = Field(description="Kept to half a minute.")
    judged: Count = Field(description="Orders before which enough like them were known to judge their promise by.")
    fair_min: float | None = Field(
        description="Mean of what 90 % of earlier orders of that hour and load would have kept; null if none was judged."
    )
    doomed_pct: float | None = Field(
        description="Promises that fewer than half of those would have kept, of the judged ones; null if none was judged."
    )


class LedgerAccount(Answer):
    orders: Count = Field(description="Deliveries that count: at most four hours long, of a known creation.")
    late: Count
    delivery_min: float | None = Field(description="Mean.")
    target_min: float
    late_min: float = Field(description="Minutes beyond the promise of the late ones, summed.")
    sentence: str
    causes: list[LedgerCause]
    shelf: ShelfFigures | None = Field(
        default=None,
        description="Of all orders that began here, delivered or not; null where no meal of the data has a gk_finished or "
        "gk_ready before its pick-up, or where the source itself summed a long range.",
    )


class LedgerGroupAccount(LedgerAccount):
    start: Time | None = Field(description="Of the hour or day; null for a brand.")
    brand: str | None = Field(description="An order of several brands counts for each of them.")


class Ledger(Answer):
    """Of the orders that began in the range."""

    location: str
    start: Time
    end: Time
    known_at: Time | None
    total: LedgerAccount
    promises: list[PromiseFigures] = Field(
        default=[],
        description="Whether what was promised was fair, of the same deliveries; empty without any, or where the source itself "
        "summed a long range.",
    )
    shared: list[SharedTrait] | None = Field(
        description="What the late orders share, the largest difference first; often nothing. Null for over 31 days, where it is "
        "not looked for."
    )
    groups: list[LedgerGroupAccount] = Field(description="Those with deliveries, by time or name; empty by cause.")


MOST_FILES = 100
"""Left-out files that an answer names."""


class DataQuality(Answer):
    """Every raw row accounted for: rows_read = rows_used + the sum of `rejected`."""

    location: str
    rows_read: Count
    rows_used: Count
    rejected: dict[str, int] = Field(description="Rows set aside, by reason.")
    flagged: dict[str, int] = Field(description="Rows used although something about them is odd, by reason.")
    files_left_out: Count = Field(
        description="Files of the whole source that could not be read; none of their rows is counted."
    )
    left_out: list[str] = Field(
        description=f"What was found in them and what to do, a sentence each; at most {MOST_FILES}."
    )
    assumed: list[str] = Field(
        description=f"What was assumed to read files, as an encoding, a sentence each; at most {MOST_FILES}."
    )


class OrderEvent(LoggedEvent):
    """`order_event`: something happened."""


class MetricsUpdate(KitchenMetrics):
    """`metrics_update`: the kitchen at the replay's moment; the first of a stream also lists the open orders."""

    throughput: float | None = Field(description="The same as throughput_per_hour, under a shorter name.")
    active_orders: list[ActiveOrder] | None = None


class ReplayPosition(Answer):
    """`replay_position`: everything up to this moment has been sent."""

    current_time: Time
    progress_pct: float


class ReplayComplete(Answer):
    """`replay_complete`: the end of the range is reached."""

    current_time: Time
    events: Count = Field(description="Order events that this connection has sent.")


class LiveEvent(Event):
    """`order_event` of the live feed: something has arrived, which may have happened earlier than what came before it."""

    order_id: str
    sequence: float | None
    event_id: str = Field(description="The same for all copies of an event: who reads some again knows them by it.")


class LivePosition(Answer):
    """`live_position`: everything that had arrived has been sent."""

    current_time: Time = Field(description="The latest event time that has been read: the moment of the figures.")
    repeated: bool = Field(
        description="Events since the last such message may have been sent before, or what was sent may have changed: take the "
        "open orders of the metrics_update before it for what you have."
    )


class RejectedLine(Answer):
    """A line of a request that is not accepted."""

    line: int = Field(description="Counted from 1.")
    reason: str


class Receipt(Answer):
    """What became of the events of a request: those accepted are on the disk. Together they are its lines."""

    accepted: Count
    repeated: Count = Field(description="Here already: same kitchen, order, type, time and sequence.")
    rejected: Count
    examples: list[RejectedLine] = Field(description="The first 20 lines that were rejected, and why.")


class Health(Answer):
    status: Literal["ok", "failing"]
    reason: str | None = None


class Ready(Answer):
    status: Literal["ready", "failing"]
    latency_ms: float | None = Field(description="Of one question to the source.")
    reason: str | None = None


class FieldError(Answer):
    field: str
    message: str


class Problem(Answer):
    """What went wrong, after RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str = Field(description="The request's id, as in the log and in X-Request-ID.")
    errors: list[FieldError] | None = Field(default=None, description="What is wrong with which parameter.")
    near: list[str] | None = Field(default=None, description="Names like the one that was not found.")


class NetworkKitchen(Answer):
    """A kitchen at the moment; a figure that its data does not tell is null, and all are where `problem` says why."""

    location: str
    display_name: str
    timestamp: Time = Field(
        description="What the row is of: the last whole minute, when states are judged; of a kitchen that grows at most that of "
        "its latest event."
    )
    problem: str | None = Field(description="Why there are no figures, a sentence; else null.")
    state: KitchenState | None = Field(description="Null where the days around it cannot be read.")
    state_since: Time | None
    over_limits: list[OverLimit]
    throughput_per_hour: Count | None
    usual_per_hour: float | None = Field(
        description="At the same time of other days, to the last full ten minutes; null without such days."
    )
    avg_delivery_time_min: float | None
    deliveries: Count | None = Field(
        description="That count, of the last 60 minutes; null if no delivery is ever recorded."
    )
    late_deliveries: Count | None = Field(description="Those of them beyond the delivery target.")
    late_pct: float | None = Field(description="Null without a delivery.")
    late_level: Annotated[str, Field(json_schema_extra={"enum": list(LEVELS)})] | None
    usual_late_pct: float | None = Field(
        description="Late at the same time of other days, by which the state judges; null without such days, or with `brand`."
    )
    meals_waiting: Count | None = Field(description="Ready and not picked up.")
    drivers_on_road: Count | None
    active_orders: Count | None
    worst: NetworkTrouble | None = Field(
        description="The worst trouble that was going on or had just ended, as it was known at the last fifth minute."
    )


class Network(Answer):
    """All kitchens at one moment."""

    timestamp: Time
    brand: str | None = Field(description="The brand whose orders alone are counted; null: all.")
    total_kitchens: Count
    ordered_by: Literal["state", "late_deliveries_of_the_last_full_hour"] = Field(
        description="state: trouble, building, recovering, calm, within one by late deliveries. Of more than 50 kitchens the "
        "states of all are not known, and the last full hour's late deliveries order them."
    )
    kitchens: list[NetworkKitchen] = Field(description="Those with most harm first.")
    next_offset: Count | None = Field(description="Give it as `offset` for the next ones; null at the end.")
