"""What the API takes and answers about alerts; see docs/alerts.md. Times of rules are seconds, as their limits are."""

from typing import Annotated, Literal

from pydantic import Field

from twin.analysis.alerts.figures import FIGURES
from twin.analysis.alerts.rules import FOR_S, KEEP_S, LONGEST_NAME, LONGEST_S, MOST_ORDERS
from twin.analysis.alerts.signs import PHASES
from twin.api.instants import TimeParameter
from twin.api.models import Answer, Time
from twin.api.parameters import Parameters

LONGEST_NOTE = 500
LONGEST_WHO = 100
MOST_LOCATIONS = 500

Trouble = Annotated[str, Field(json_schema_extra={"enum": list(PHASES)})]
WatchedFigure = Annotated[str, Field(json_schema_extra={"enum": list(FIGURES)})]
State = Literal["firing", "recovered"]
Lasting = Annotated[float, Field(ge=0, le=LONGEST_S)]


class TroubleWatch(Answer):
    """A kind of trouble, told by the orders that are open or have just come."""

    kind: Trouble
    least_orders: int = Field(default=3, ge=1, le=MOST_ORDERS, description="In so many orders at least.")


class FigureWatch(Answer):
    """A figure of the page beyond a limit."""

    figure: WatchedFigure
    limit: float = Field(ge=0, allow_inf_nan=False, description="Seconds, shares or numbers, as the figure has them.")
    recovery: float = Field(ge=0, allow_inf_nan=False, description="The figure must come back beyond it to recover.")
    under: bool = Field(default=False, description="Whether it fires under the limit.")
    of_usual: bool = Field(default=False, description="Whether both limits are factors of what is usual.")
    from_usual: bool = Field(default=False, description="Whether both limits say how far from what is usual.")


class QuietHours(Answer):
    """Hours of the kitchen's clock in which nothing begins to fire; an `end` before `begin` is on the next day."""

    begin: float = Field(ge=0, lt=86_400, description="Seconds after midnight.")
    end: float = Field(ge=0, le=86_400)


class GivenRule(Answer):
    """A rule: one of `trouble` and `figure`, and when it fires and recovers."""

    trouble: TroubleWatch | None = None
    figure: FigureWatch | None = None
    for_s: Lasting = Field(default=FOR_S, description="It must hold for so long before it fires.")
    keep_s: Lasting = Field(default=KEEP_S, description="It must be over for so long before it recovers.")
    quiet: QuietHours | None = None
    locations: list[str] = Field(default=[], max_length=MOST_LOCATIONS, description="Kitchens; none: all of them.")
    name: str = Field(default="", max_length=LONGEST_NAME)
    enabled: bool = True


class AlertRule(GivenRule):
    """A rule that is stored."""

    id: str
    sentence: str = Field(description="The rule in words.")


class AlertRules(Answer):
    rules: list[AlertRule] = Field(description="The oldest first.")


class Acknowledgement(Answer):
    """Who has seen an alert, and what he says of it."""

    name: str = Field(default="", max_length=LONGEST_WHO, description="Who it is; a login's name comes before it.")
    note: str = Field(default="", max_length=LONGEST_NOTE)


class AlertEntry(Answer):
    """An alert: one that fires, or has."""

    id: str
    rule: str = Field(description="Id of the rule, which may have been deleted since.")
    location: str
    title: str = Field(description="The rule's name, or what it watches.")
    sentence: str = Field(description="The rule in words, as it was.")
    text: str = Field(description="What was found when it fired.")
    state: State
    since: Time = Field(description="Since when the condition held.")
    began: Time = Field(description="When it fired.")
    ended: Time | None = Field(description="When it recovered, or its rule was changed or deleted.")
    duration_min: float | None = Field(description="From `began` to `ended`.")
    grouped: bool = Field(description="Whether it was beyond what is sent one by one in an hour.")
    acknowledged_by: str | None = Field(description='Who saw it first; "" where nobody said.')
    acknowledged_at: Time | None = Field(description="When, by the server's clock; null: nobody has.")
    note: str | None = Field(description="What he said of it.")


class Alerts(Answer):
    alerts: list[AlertEntry] = Field(description="The newest first, 200 at most.")


class AlertsQuery(Parameters):
    """Which alerts are listed."""

    location: str = Field(default="", description="Of one kitchen.")
    state: State | None = None
    start: TimeParameter | None = Field(default=None, description="Those that still fired then, or fired later.")
    end: TimeParameter | None = Field(default=None, description="Those that fired before it.")


class BacktestQuestion(Answer):
    """What to try, and at which kitchen."""

    rule: GivenRule
    location: str


class WouldBe(Answer):
    """An alert that would have been."""

    since: Time = Field(description="Since when the condition held.")
    began: Time
    ended: Time | None
    duration_min: float | None
    value: float | None = Field(description="The figure when it fired; of a trouble the number of slow orders.")
    text: str
    moment: str | None = Field(description="The moment found in hindsight that confirms it; null: none does.")
    moment_at: Time | None


class MissedMoment(Answer):
    title: str
    at: Time


class BacktestResult(Answer):
    """What a rule would have done at a kitchen."""

    sentence: str
    rule: str = Field(description="The rule in words.")
    start: Time
    end: Time
    days: float = Field(description="How many days the record has, 28 at most.")
    coverage_pct: float = Field(description="Share of the minutes at which its condition was known.")
    precision_pct: float | None = Field(description="Share of the alerts that a moment confirms; null without any.")
    alerts: list[WouldBe]
    missed: list[MissedMoment] = Field(
        description="Of a rule about a trouble: those of its kind during which it did not fire."
    )


ALERT_MODELS: tuple[type[Answer], ...] = (
    Alerts, AlertEntry, AlertRules, AlertRule, GivenRule, Acknowledgement, BacktestQuestion, BacktestResult,
)  # fmt: skip
"""Those that are named in the OpenAPI document."""
