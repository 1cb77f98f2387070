"""Guesses a mapping from names, from values and, decisively, from the order of the process."""

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import numpy as np

from twin.foundation.errors import SourceError
from twin.sources.adapters import names, process, sql
from twin.sources.adapters.mapping import MILESTONES, PING, Mapping, Place, Route, TimeColumn
from twin.sources.adapters.profile import Column, Profile
from twin.sources.adapters.sql import text
from twin.sources.database import Database

SURE, LIKELY = 0.9, 0.6
"""Confidences from which a guess is called sure or likely."""
FEW_WRONG = 0.01
"""Share of orders that may contradict a guess which is called sure."""
MOST_LABELS = 60
"""Names of activities that are looked at, the most frequent."""
SAMPLED_ROWS = 200_000
"""Rows in which the order of the process is looked for; all rows count the contradictions of the mapping in the end."""
REPEATED = 1.5
"""Rows per order from which on a file has a row per event."""
UNIQUE = 0.9
"""Distinct values per row from which on a column may number the rows; they are counted approximately."""
MANY_PER_ORDER = 1.8
"""Times per order from which on an activity is no milestone, which happens once."""

Verdict = Literal["sure", "likely", "unsure", "chosen", ""]


@dataclass(frozen=True, slots=True)
class Guess:
    """What one column or activity is taken for, `role` "" for nothing; `wrong` of `orders` contradict it."""

    name: str
    role: str
    confidence: float
    verdict: Verdict
    samples: tuple[str, ...]
    reason: str
    wrong: int = 0
    orders: int = 0
    is_activity: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What only a person can say: the order of day and month, the day a count begins, or the year."""

    column: str
    kind: Literal["day or month", "day", "year"]
    sentence: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person has decided. `roles` and `events` map a role or activity to a column or event, "" to none."""

    roles: Dictionary[str, str] = field(default_factory=dict)
    events: Dictionary[str, str] = field(default_factory=dict)
    day_first: Dictionary[str, bool] = field(default_factory=dict)
    """By column; "" stands for all."""
    day: date | None = None
    year: int | None = None
    shape: Literal["wide", "long", ""] = ""
    unused: frozenset[str] = frozenset()
    """Columns that have no role."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A guessed mapping: None as long as there are questions, or if what is needed is missing (`lacks`, a sentence)."""

    mapping: Mapping | None
    shape: Literal["wide", "long"]
    guesses: tuple[Guess, ...]
    questions: tuple[Question, ...]
    notes: tuple[str, ...]
    lacks: str = ""


def propose(database: Database, table: str, found: Profile, types: Dictionary[str, str], choices: Choices) -> Proposal:
    """Return the best mapping for a table, given what a person has chosen. Raises `SourceError`."""
    return _Guesser(database, table, found, types, choices).proposal()


class _Guesser:
    def __init__(
        self, database: Database, table: str, found: Profile, types: Dictionary[str, str], choices: Choices
    ) -> None:
        self.database, self.table, self.found, self.types, self.choices = database, table, found, types, choices
        self.guesses: dict[str, Guess] = {}
        self.labels: list[Guess] = []
        self.questions: list[Question] = []
        self.notes: list[str] = []
        self.taken: set[str] = set()
        present = {column.name for column in found.columns}
        for role, name in choices.roles.items():
            if name and name not in present:
                raise SourceError(f"There is no column {name!r} for {role}: there are {', '.join(sorted(present))}.")
            if name:
                self.taken.add(name)
        self.taken |= choices.unused

    def proposal(self) -> Proposal:
        order = self._order_id()
        activity = self._pick(
            "activity", [c for c in self.found.columns if 2 <= c.distinct <= MOST_LABELS and c.kind != "time"]
        )
        shape = self._shape(order, activity)
        if shape == "wide":
            self._forget(activity)
            activity = None
            if order is not None and self._repeats(order) and "order_id" not in self.choices.roles:
                self._forget(order)
                order = None
        places = self._places(shape)
        fields: dict[str, object] = {"shape": shape, "order_id": order.name if order else None, **places}
        kitchen = self._pick("kitchen", [c for c in self.found.of_kind("text", "number") if self._few(c)])
        fields["kitchen"] = kitchen.name if kitchen else None
        fields |= self._goods()
        lacks = ""
        if shape == "wide":
            milestones = self._wide()
            fields["milestones"] = milestones
            is_found = any(guess.role in MILESTONES for guess in self.guesses.values())
            lacks = "" if is_found else self._no_times()
        else:
            fields |= self._long(order, activity)
            if order is None:
                lacks = "There is no column that says which order a row belongs to."
            elif not any(guess.role == "time" for guess in self.guesses.values()):
                lacks = "There is no column with the time of a row."
            elif activity is None and not fields.get("position"):
                lacks = "There is no column with the name of an event, and no position of a driver."
        for column in self.found.columns:
            if column.name not in self.guesses:
                self._note(column, "", 1.0, "chosen" if column.name in self.choices.unused else "", "")
        ordered = tuple(self.guesses[column.name] for column in self.found.columns)
        complete = not lacks and not self.questions
        mapping = Mapping.model_validate({k: v for k, v in fields.items() if v is not None}) if complete else None
        return Proposal(mapping, shape, (*ordered, *self.labels), _merged(self.questions), tuple(self.notes), lacks)

    # -- the columns that are no times ------------------------------------------------------------------------------------
    def _order_id(self) -> Column | None:
        if "order_id" in self.choices.roles:
            return self._chosen("order_id")

        def rating(column: Column) -> float:
            fits = names.likeness(column.name, "order_id")
            last = (names.words(column.name) or [""])[-1]
            enough = column.distinct >= min(20, UNIQUE * self.found.rows)
            return fits + (0.2 if last == "id" else 0) if fits and enough else 0.0

        able = [c for c in self.found.of_kind("text", "number") if c.filled and c.name not in self.taken]
        able = [c for c in able if c.kind != "number" or c.whole]
        best = max(able, key=rating, default=None)
        if best is None or not rating(best):
            return None
        fits = names.likeness(best.name, "order_id")
        self._note(best, "order_id", fits, "", "by its name, and as many values as orders")
        return best

    def _repeats(self, column: Column) -> bool:
        return column.filled > REPEATED * column.distinct

    def _few(self, column: Column) -> bool:
        """Return whether a column may name kitchens: far fewer than rows, and no measure."""
        return (column.kind == "text" or column.whole) and 1 <= column.distinct <= max(2, self.found.rows / 3)

    def _shape(self, order: Column | None, activity: Column | None) -> Literal["wide", "long"]:
        if self.choices.shape:
            return self.choices.shape
        times = [c for c in self._times() if not _no_milestone(c.name)]
        repeated = order is not None and self._repeats(order)
        if repeated and (activity is not None or len(times) <= 1):
            return "long"
        return "wide"

    def _pick(self, role: str, able: Sequence[Column]) -> Column | None:
        """Return the column whose name fits a role best, and note it."""
        if role in self.choices.roles:
            return self._chosen(role)
        free = [c for c in able if c.name not in self.taken and c.filled]
        best = max(free, key=lambda column: names.likeness(column.name, role), default=None)
        fits = names.likeness(best.name, role) if best else 0.0
        if best is None or not fits:
            return None
        self._note(best, role, fits, "", "by its name")
        return best

    def _chosen(self, role: str) -> Column | None:
        name = self.choices.roles[role]
        if not name:
            return None
        self._note(self.found[name], role, 1.0, "chosen", "chosen")
        return self.found[name]

    def _goods(self) -> dict[str, str | None]:
        numbers = self.found.of_kind("number")
        texts = [c for c in self.found.of_kind("text", "number") if c.kind == "text" or c.whole]
        picked = {
            "brand": self._pick("brand", texts),
            "item": self._pick("item", self.found.of_kind("text")),
            "price": self._pick("price", [c for c in numbers if (c.low or 0) >= 0]),
            "quantity": self._pick("quantity", [c for c in numbers if c.whole and (c.low or 0) >= 0]),
        }
        if picked["price"] and picked["quantity"] and not picked["item"] and "quantity" not in self.choices.roles:
            self._forget(picked["quantity"])  # the price is the order's then, not an item's
            picked["quantity"] = None
            self.notes.append(f"{picked['price'].name} is taken for the price of the whole order, as one item.")
        return {role: column.name if column else None for role, column in picked.items()}

    def _places(self, shape: str) -> dict[str, Place | Route | None]:
        found: dict[str, Place | Route | None] = {}
        pairs: dict[tuple[str, str], dict[str, Column]] = {}
        for column in self.found.of_kind("number"):
            which = names.axis(column.name)
            if which and column.name not in self.taken:
                pairs.setdefault((names.stem(column.name), "degrees" if which in ("lat", "lon") else "metres"), {})[
                    which
                ] = column
        for role in ("customer", "handover", "kitchen_place", "position"):
            given = {which: self.choices.roles.get(f"{role}_{which}", "") for which in ("lat", "lon")}
            for which, name in given.items():
                if name:
                    self._note(self.found[name], f"{role}_{which}", 1.0, "chosen", "chosen")
            if all(given.values()):
                lat, lon = self.found[given["lat"]], self.found[given["lon"]]
                found[role] = Place(lat=lat.name, lon=lon.name, scale=_scale(lat, lon) or 1.0)
            elif any(given.values()):
                self.notes.append(
                    f"{next(filter(None, given.values()))} is one half of a place: choose the other half, too."
                )
        planar = []
        for pair in pairs.values():
            columns = list(pair.values())
            if any(column.name in self.taken for column in columns):
                continue
            if not {"lat", "lon"} <= pair.keys():
                if len(pair) > 1 and {"x", "y"} <= pair.keys():
                    planar.append(columns)
                continue
            scale = _scale(pair["lat"], pair["lon"])
            if scale is None:
                planar.append(columns)
                continue
            role = names.place(pair["lat"].name) or ("position" if shape == "long" else "customer")
            role = "position" if shape == "long" and role not in ("customer", "kitchen_place") else role
            if role == "position" and shape == "wide":
                role = "customer" if names.stem(pair["lat"].name) == "" else ""
            if not role or role in found or f"{role}_lat" in self.choices.roles:
                continue
            found[role] = Place(lat=pair["lat"].name, lon=pair["lon"].name, scale=scale)
            sure = 0.95 if names.place(pair["lat"].name) else LIKELY
            for which in ("lat", "lon"):
                self._note(pair[which], f"{role}_{which}", sure, "", "by its name, and degrees by its values")
        if "handover" in found and "customer" not in found:
            found["customer"] = found["handover"]
        for columns in planar:
            for column in columns:
                self._note(column, "", 1.0, "", "planar: no degrees")
            both = " and ".join(column.name for column in columns)
            self.notes.append(
                f"{both} are no degrees but planar metres or a grid of their own: nothing says where on Earth that is, so "
                "they are not drawn."
            )
        route = self._route()
        if route:
            found["route"] = route
        return found

    def _route(self) -> Route | None:
        column = self._pick("route", self.found.of_kind("path"))
        if column is None:
            able = [c for c in self.found.of_kind("path") if c.name not in self.taken]
            if not able or "route" in self.choices.roles:
                return None
            column = able[0]
            self._note(column, "route", LIKELY, "", "by its values, lists of points")
        points = f"list_transform(try_cast({text(column.name)} AS DOUBLE[][]), lambda p: p[%s])"
        ((first, second),) = self.database.rows(
            f"SELECT max(abs(list_max({points % 1}))), max(abs(list_max({points % 2}))) FROM {self.table}"
        )
        if first is None or second is None or max(first, second) > 180:  # degrees
            self.notes.append(f"{column.name} holds points that are no degrees, so they are not drawn.")
            self._forget(column)
            return None
        if first > 85.05:  # no latitude of Web Mercator
            return Route(column=column.name, first="lon")
        if second > 85.05:
            return Route(column=column.name, first="lat")
        self.notes.append(f"{column.name}: longitude is taken to come first in each point, as in GeoJSON.")
        return Route(column=column.name, first="lon")

    # -- times ------------------------------------------------------------------------------------------------------------
    def _times(self) -> list[Column]:
        found = self.found.of_kind("time", "time of day")
        chosen = {self.choices.roles[m] for m in (*MILESTONES, "time") if self.choices.roles.get(m)}
        dates = [c for c in self.found.of_kind("date") if names_a_milestone(c.name) or c.name in chosen]
        if any(c.kind == "time of day" for c in found):
            dates = []  # they are the days of these
        found += dates
        if not found or chosen & {c.name for c in self.found.of_kind("number")}:
            counts = [c for c in self.found.of_kind("number") if _is_count(c) or c.name in chosen]
            found += [c for c in counts if c not in found]
        return [c for c in found if c.name not in self.taken or c.name in chosen]

    def _time_column(self, column: Column) -> TimeColumn | None:
        """Return how a column's times are read; None, with a question, where only a person can say it."""
        form, day, year = column.format, None, None
        if column.alternatives:
            first = self.choices.day_first.get(column.name, self.choices.day_first.get(""))
            if first is None:
                self._ask(
                    column,
                    "day or month",
                    f"{column.name} holds dates such as {column.samples[0]}, which may be day first or month first: which is it?",
                )
            else:
                wanted = "day" if first else "month"
                form = next(one.pattern for one in column.alternatives if one.first == wanted)
        if column.kind in ("time", "date") and not column.has_year:
            year = self.choices.year
            if year is None:
                example = column.samples[0]
                self._ask(column, "year", f"{column.name} holds times without a year, such as {example}: which year?")
                return None
        if column.kind == "number":
            form, day = f"counted {_unit(column)}", self.choices.day
            if day is None:
                limits = f"{column.low:g} to {column.high:g}"
                self._ask(column, "day", f"{column.name} counts {_unit(column)} ({limits}): from which day on?")
                return None
        by = None
        if column.kind == "time of day":
            by = next(iter(self.found.of_kind("date")), None)
            if by is None:
                day = self.choices.day
                if day is None:
                    example = column.samples[0]
                    self._ask(
                        column, "day", f"{column.name} holds times of day without a date, such as {example}: which day?"
                    )
                    return None
                return TimeColumn(column=column.name, format=form, day=day, next_day=True, year=None)
            dated = self._time_column(by)
            if dated is None:
                return None
            self._note(by, "date", 0.95, "", "the day of the times of day")
            form = f"{dated.format} {form.strip()}"
        if column.kind == "date" and form == "%Y-%m-%d":
            form = "iso"
        return TimeColumn(
            column=column.name, format=form, date=by.name if by else None, year=year, day=day, next_day=by is not None
        )

    def _ask(self, column: Column, kind: Literal["day or month", "day", "year"], sentence: str) -> None:
        question = Question(column.name, kind, sentence)
        if question not in self.questions:
            self.questions.append(question)

    def _provisional(self, column: Column) -> TimeColumn:
        """Return a way to read a column for the order of the process alone: whatever is open does not change that."""
        asked = len(self.questions)
        open_choices = self.choices
        self.choices = Choices(
            open_choices.roles, open_choices.events, open_choices.day_first, open_choices.day or date(2024, 1, 1),
            open_choices.year or 2024, open_choices.shape, open_choices.unused,
        )  # fmt: skip
        try:
            read = self._time_column(column)
        finally:
            self.choices = open_choices
            del self.questions[asked:]
        assert read is not None
        return read

    def _wide(self) -> dict[str, TimeColumn]:
        times = self._times()
        fixed = {name: role for role, name in self.choices.roles.items() if role in MILESTONES and name}
        refused = {role for role, name in self.choices.roles.items() if role in MILESTONES and not name}
        seconds = self._plausible_seconds(times)
        series = []
        for column, values in zip(times, seconds, strict=True):
            fits = {m: names.likeness(column.name, m) for m in MILESTONES}
            if column.name in fixed:
                fits = {fixed[column.name]: 10.0}
            excluded = column.name not in fixed and _no_milestone(column.name)
            series.append(
                process.Series(column.name, values, {m: f for m, f in fits.items() if f and m not in refused}, excluded)
            )
        for name, role in fixed.items():
            if name not in {column.name for column in times}:
                example = next(iter(self.found[name].samples), "nothing")
                self._note(self.found[name], role, 0.0, "chosen", "holds no times")
                self.notes.append(
                    f"{name} is not used as {role}: it holds no times that can be read, such as {example}."
                )
        return self._milestones(times, series, fixed, refused)

    def _milestones(
        self, times: list[Column], series: list[process.Series], fixed: dict[str, str], refused: set[str]
    ) -> dict[str, TimeColumn]:
        found: dict[str, TimeColumn] = {}
        assigned = process.assign(series)
        for column, one in zip(times, series, strict=True):
            what = assigned[column.name]
            role = what.milestone if what.milestone not in refused else None
            if role is None:
                reason = "a time that was meant, not measured" if names.says_not_happened(column.name) else ""
                self._note(column, "", what.confidence, "", reason)
                continue
            time = self._time_column(column)
            is_fixed = column.name in fixed
            reason = "chosen" if is_fixed else _why(one.likeness.get(role, 0.0), what)
            confidence = 1.0 if is_fixed else _confidence(one.likeness.get(role, 0.0), what)
            self._note(column, role, confidence, "chosen" if is_fixed else "", reason, what.violations, what.orders)
            if time is not None:
                found[role] = time
        return {m: found[m] for m in MILESTONES if m in found}

    def _no_times(self) -> str:
        shifts = [column.name for column in self.found.columns if names.says_shift(column.name)]
        if shifts:
            return f"{' and '.join(shifts)} are of shifts, and no column has the time of a milestone of an order."
        return "There is no column with the time of a milestone of an order."

    def _plausible_seconds(self, times: Sequence[Column]) -> list[np.ndarray]:
        """Return the times of each column; where day and month are open, in the form that lies closer to the other columns.

        So the order of the process can be looked at before a person has answered, who is asked all the same.
        """
        ways = [self._ways(column) for column in times]
        seconds = self._seconds([way for some in ways for way in some])
        by_column, start = [], 0
        for some in ways:
            by_column.append(seconds[start : start + len(some)])
            start += len(some)
        settled = next((some[0] for some in by_column if len(some) == 1), by_column[0][0] if by_column else None)
        return [min(some, key=lambda one: _distance(one, settled)) if len(some) > 1 else some[0] for some in by_column]

    def _ways(self, column: Column) -> list[TimeColumn]:
        read = self._provisional(column)
        is_answered = column.name in self.choices.day_first or "" in self.choices.day_first
        if is_answered or not column.alternatives:
            return [read]
        return [read.model_copy(update={"format": form.pattern}) for form in column.alternatives]

    def _seconds(self, times: Sequence[TimeColumn]) -> list[np.ndarray]:
        if not times:
            return []
        first = times[0]
        columns = ", ".join(
            f"epoch(try_cast({sql.time(one, self.types, first)} AS TIMESTAMPTZ)) AS t{number}"
            for number, one in enumerate(times)
        )
        rows = self.database.table(f"SELECT {columns} FROM (SELECT * FROM {self.table} LIMIT {SAMPLED_ROWS})")
        return [rows[f"t{number}"].to_numpy().astype(np.float64) for number in range(len(times))]

    def _long(self, order: Column | None, activity: Column | None) -> dict[str, object]:
        chosen = self.choices.roles.get("time")
        able = [c for c in self._times() if c.name == chosen] or self._times()
        able = [c for c in able if not names.says_not_happened(c.name)] or able
        if not able or order is None:
            return {}
        column = max(able, key=lambda c: (c.filled, names.likeness(c.name, "activity"), -c.odd))
        time = self._time_column(column)
        alone = len(able) == 1
        self._note(
            column,
            "time",
            0.95 if alone else LIKELY,
            "chosen" if chosen else "",
            "the only time" if alone else "a time that every row has",
        )
        sequence = self._pick("sequence", [c for c in self.found.of_kind("number") if c.whole])
        events = self._activities(order, activity, self._provisional(column)) if activity else {}
        return {
            "time": time, "activity": activity.name if activity else None, "events": events,
            "sequence": sequence.name if sequence else None,
        }  # fmt: skip

    def _activities(self, order: Column, activity: Column, time: TimeColumn) -> dict[str, str]:
        label = text(activity.name)
        counted = self.database.rows(
            f"SELECT {label} AS label, count(*), approx_count_distinct({text(order.name)}) FROM {self.table} "
            f"WHERE {label} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT {MOST_LABELS}"
        )
        moment = f"epoch(try_cast({sql.time(time, self.types)} AS TIMESTAMPTZ))"
        firsts = ", ".join(
            f"min(CASE WHEN {label} = {sql.literal(str(name))} THEN {moment} END) AS t{number}"
            for number, (name, *_) in enumerate(counted)
        )
        rows = self.database.table(
            f"SELECT {firsts} FROM (SELECT * FROM {self.table} LIMIT {SAMPLED_ROWS}) GROUP BY {text(order.name)}"
        )
        series, several = [], {}
        for number, (name, count, orders) in enumerate(counted):
            several[name] = count / max(1, orders) >= MANY_PER_ORDER
            fits = {m: names.likeness(name, m) for m in MILESTONES}
            ping = names.likeness(name, PING)
            is_ping = several[name] and max(fits.values()) < ping + 0.05
            excluded = name in self.choices.events or is_ping or (several[name] and not any(fits.values()))
            excluded = excluded or _no_milestone(str(name))
            series.append(
                process.Series(
                    name,
                    rows[f"t{number}"].to_numpy().astype(np.float64),
                    {m: f for m, f in fits.items() if f},
                    excluded,
                )
            )
        assigned = process.assign(series)
        found: dict[str, str] = {}
        for one, (name, count, _orders) in zip(series, counted, strict=False):
            what = assigned[name]
            if name in self.choices.events:
                role, verdict, confidence, reason = self.choices.events[name], "chosen", 1.0, "chosen"
            elif one.excluded:
                ping = several[name] and bool(names.likeness(name, PING) or self._has_position())
                role, confidence = (PING, 0.95 if names.likeness(name, PING) else LIKELY) if ping else ("", 1.0)
                verdict, reason = "", "happens many times in an order" if several[name] else ""
            else:
                likeness = one.likeness.get(what.milestone or "", 0.0)
                role, verdict, confidence, reason = (
                    what.milestone or "",
                    "",
                    _confidence(likeness, what),
                    _why(likeness, what),
                )
            if role in found.values() and role != PING:
                role = ""
            if role:
                found[str(name)] = role
            said = _verdict(verdict, confidence, what.violations, what.orders) if role or verdict else ""
            self.labels.append(
                Guess(str(name), role, confidence, said, (f"{count:,}",),
                      reason, what.violations, what.orders, is_activity=True)
            )  # fmt: skip
        return found

    def _has_position(self) -> bool:
        return any(guess.role == "position_lat" for guess in self.guesses.values())

    # -- notes ------------------------------------------------------------------------------------------------------------
    def _note(
        self, column: Column, role: str, confidence: float, verdict: str, reason: str, wrong: int = 0, orders: int = 0
    ) -> None:
        said = _verdict(verdict, confidence, wrong, orders) if role or verdict else ""
        self.guesses[column.name] = Guess(column.name, role, confidence, said, column.samples, reason, wrong, orders)
        if role:
            self.taken.add(column.name)

    def _forget(self, column: Column | None) -> None:
        if column is not None:
            self.guesses.pop(column.name, None)
            self.taken.discard(column.name)


def _merged(questions: Sequence[Question]) -> tuple[Question, ...]:
    """Return the questions, those that one answer settles for several columns once."""
    found: dict[str, Question] = {}
    for one in questions:
        others = sum(other.kind == one.kind for other in questions) - 1
        if one.kind == "day or month":
            found[one.column] = one
        elif one.kind not in found:
            more = f" The answer holds for {others} more column{'s' * (others != 1)}." if others else ""
            found[one.kind] = Question(one.column, one.kind, one.sentence + more)
    return tuple(found.values())


def _distance(one: np.ndarray, other: np.ndarray | None) -> float:
    """Return the median distance of two columns of times, seconds; infinite where no order has both."""
    away = np.abs(one - other) if other is not None else np.zeros(0)
    away = away[np.isfinite(away)]
    return float(np.median(away)) if len(away) else np.inf


def _no_milestone(name: str) -> bool:
    """Return whether a name says that a time is no milestone."""
    return names.says_not_happened(name) or (names.says_beside(name) and not names_a_milestone(name))


def names_a_milestone(name: str) -> bool:
    """Return whether a name fits a milestone."""
    return any(names.likeness(name, milestone) for milestone in MILESTONES)


def _confidence(fits: float, what: process.Assigned) -> float:
    """Return the confidence in a milestone: without a name, the order of the process alone is never sure."""
    return what.confidence * (fits if fits else 0.75)


def _why(fits: float, what: process.Assigned) -> str:
    return "by its name and the order of the process" if fits else "by the order of the process alone"


def _verdict(given: str, confidence: float, wrong: int, orders: int) -> Verdict:
    if given == "chosen":
        return "chosen"
    if confidence >= SURE and wrong <= FEW_WRONG * max(1, orders):
        return "sure"
    return "likely" if confidence >= LIKELY else "unsure"


_COUNTS = frozenset(
    ["time", "minute", "minutes", "min", "second", "seconds", "tick", "ticks", "clock", "t", "ts", "at"]
)


def _is_count(column: Column) -> bool:
    """Return whether a column of numbers may count minutes or seconds: by its name, because so may anything."""
    said = set(names.words(column.name))
    is_time = bool(said & _COUNTS)
    return is_time and (column.low or 0) >= 0 and (column.high or 0) < 1e8 and column.distinct > 2


def _unit(column: Column) -> str:
    said = set(names.words(column.name))
    if said & {"seconds", "second", "sec", "secs", "s"}:
        return "seconds"
    if said & {"minutes", "minute", "min", "mins"}:
        return "minutes"
    return "minutes" if (column.high or 0) < 2 * 24 * 60 else "seconds"


def _scale(lat: Column, lon: Column) -> float | None:
    """Return by what two columns must be multiplied to be degrees; None if they cannot be any."""
    if None in (lat.low, lat.high, lon.low, lon.high):
        return None
    high_lat = max(abs(lat.low or 0), abs(lat.high or 0))
    high_lon = max(abs(lon.low or 0), abs(lon.high or 0))
    if high_lat <= 90 and high_lon <= 180:  # degrees
        return 1.0
    whole = lat.whole and lon.whole
    for digits in (5, 6, 7):
        factor = 10**digits
        if whole and factor < high_lat <= 90 * factor and factor < high_lon <= 180 * factor:
            return 10.0**-digits
    return None
