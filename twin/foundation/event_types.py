"""The event types, shared by the timeline, which reads them, and the simulator, which writes them."""

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
"""The recognised types in lifecycle order. A type's code is its position here; unrecognised types get higher codes."""

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
