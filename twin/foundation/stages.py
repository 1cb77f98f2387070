"""The five stages that an order passes through, and the two states outside them."""

STAGES: tuple[str, ...] = ("created", "cooking", "ready", "out_for_delivery", "completed")
"""Stage keys in lifecycle order; an order's stage number is its position here."""

CREATED, COOKING, READY, OUT_FOR_DELIVERY, COMPLETED = range(5)

CANCELLED, STALLED = 5, 6
"""States outside the stages: cancelled, and stalled (no event for `STALLED_AFTER` seconds)."""

STATES: tuple[str, ...] = (*STAGES, "cancelled", "stalled")

STAGE_LABELS: dict[str, str] = {
    "created": "Created",
    "cooking": "Cooking",
    "ready": "Ready",
    "out_for_delivery": "Out for delivery",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "stalled": "Stalled",
}

ORDER_LABELS: dict[str, str] = STAGE_LABELS | {"completed": "Delivered"}
"""What is written of one order: it has been delivered, which completes it."""

SHORT_LABELS: dict[str, str] = ORDER_LABELS | {"out_for_delivery": "On the road"}
"""The same where a column has room for eleven letters."""

STALLED_AFTER = 4 * 3600.0
"""Seconds without an event after which an open order counts as stalled; averages leave out longer durations."""
