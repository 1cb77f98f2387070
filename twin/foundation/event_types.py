"""The event types of the feed, for what reads them and what simulates them."""

EVENT_TYPES: tuple[str, ...] = (
    "order_created",
    "gk_started",
    "gk_finished",
    "gk_ready",
    "driver_arrived",
    "driver_picked_up",
    "driver_ping",
    "delivered",
    "order_cancelled",
)
"""The types with a meaning, in lifecycle order. A type's code is its position here; all other types have codes after these."""

(
    ORDER_CREATED,
    GK_STARTED,
    GK_FINISHED,
    GK_READY,
    DRIVER_ARRIVED,
    DRIVER_PICKED_UP,
    DRIVER_PING,
    DELIVERED,
    ORDER_CANCELLED,
) = range(len(EVENT_TYPES))
