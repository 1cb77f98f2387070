"""Applies a mapping: the SELECT that makes rows of `bronze` from a file's own columns, reading it once."""

from collections.abc import Mapping as Dictionary

from twin.sources.adapters.mapping import COUNTED, ISO, MILESTONES, PING, Mapping, Place, TimeColumn, epoch_divisor

MISSING = ("", "null", "none", "nan", "nat", "n/a", "na", "-", "\\n", "0000-00-00 00:00:00", "0000-00-00")
"""Texts, in lower case, that mean that there is no value."""
UNREADABLE = "unreadable"
"""Stands for a time that is there but not as the mapping says: it is set aside as a bad timestamp."""
KITCHEN = "kitchen"
"""Location of all rows of a file without a column for the kitchen."""
_UNITS = {"counted seconds": 1, "counted minutes": 60, "counted hours": 3600}


def bronze(mapping: Mapping, reader: str, types: Dictionary[str, str], rows_name: str = "row") -> str:
    """Return the SELECT with the columns of queries/events.sql; `reader` is a table function, `types` are Arrow's of Parquet.

    A wide row becomes a row for each milestone that it has a time of. One without any becomes a single row without a time, so
    that it is counted as set aside. Without a column for the order's id, `rows_name` and the number of the row stand for it.
    """
    return _wide(mapping, reader, types, rows_name) if mapping.shape == "wide" else _long(mapping, reader, types)


def time(column: TimeColumn, types: Dictionary[str, str], first: TimeColumn | None = None) -> str:
    """Return the expression for a time as text that events.sql casts; NULL where there is none.

    Epochs are instants and end with Z, as does what a column with a zone holds; other times stay as they are written.
    `first` is the order's first time column, for times of day after midnight.
    """
    if "tz=" in types.get(column.column, ""):
        return f"CAST(timezone('UTC', {quoted(column.column)}) AS VARCHAR) || 'Z'"
    value = text(column.column)
    if column.format == ISO:
        return value
    if (divisor := epoch_divisor(column.format)) == divisor:
        number = f"try_cast({value} AS DOUBLE)"
        moment = f"make_timestamp(CAST({number} * {1e6 / divisor:.0f} AS BIGINT))"
        bounded = f"CASE WHEN abs({number}) < {divisor * 1e11:.0f} THEN CAST({moment} AS VARCHAR) || 'Z' END"
        return f"CASE WHEN {value} IS NOT NULL AND {number} IS DISTINCT FROM 0 THEN coalesce({bounded}, '{UNREADABLE}') END"
    if column.format in COUNTED:
        number = f"try_cast({value} AS DOUBLE)"
        seconds = f"CAST({number} * {_UNITS[column.format]} * 1000000 AS BIGINT)"
        moment = f"TIMESTAMP '{column.day:%Y-%m-%d}' + to_microseconds({seconds})"
        bounded = f"CASE WHEN abs({number}) < 1e9 THEN CAST({moment} AS VARCHAR) END"
        return f"CASE WHEN {value} IS NOT NULL THEN coalesce({bounded}, '{UNREADABLE}') END"
    moment = _parsed(column)
    if column.next_day and first is not None and first != column:
        day = "INTERVAL 1 DAY"
        moment = f"({moment} + CASE WHEN {moment} < {_parsed(first)} THEN {day} ELSE INTERVAL 0 DAY END)"
    return f"CASE WHEN {value} IS NOT NULL THEN coalesce(CAST({moment} AS VARCHAR), '{UNREADABLE}') END"


def _parsed(column: TimeColumn) -> str:
    value, form = text(column.column), column.format
    if column.date is not None:
        value = f"{text(column.date)} || ' ' || {value}"
    elif column.day is not None:
        value, form = f"'{column.day:%Y-%m-%d} ' || {value}", f"%Y-%m-%d {form}"
    if column.year is not None:
        value, form = f"'{column.year} ' || {value}", f"%Y {form}"
    return f"try_strptime({value}, {literal(form)})"


def text(name: str) -> str:
    """Return the expression for a column's text; NULL for what means that there is none.

    Only short texts are compared with those: comparing all takes as long as reading the file.
    """
    value = f"trim(CAST({quoted(name)} AS VARCHAR))"
    absent = ", ".join(literal(word) for word in MISSING)
    return f"CASE WHEN strlen({value}) > {max(map(len, MISSING))} OR lower({value}) NOT IN ({absent}) THEN {value} END"


def _wide(mapping: Mapping, reader: str, types: Dictionary[str, str], rows_name: str) -> str:
    chosen = sorted(mapping.milestones.items(), key=lambda item: MILESTONES.index(item[0]))
    first = chosen[0][1]
    bodies = _bodies(mapping)
    times = ", ".join(f"{time(column, types, first)} AS time_{number}" for number, (_, column) in enumerate(chosen))
    parts = ", ".join(f"{body} AS body_{kind}" for kind, body in bodies.items())
    events = ", ".join(
        f"{{'kind': '{kind}', 'ts': time_{number}, 'sequence': '{MILESTONES.index(kind)}', "
        f"'body': {f'body_{kind}' if kind in bodies else 'NULL::VARCHAR'}}}"
        for number, (kind, _) in enumerate(chosen)
    )
    nothing = f"[{{'kind': '{chosen[0][0]}', 'ts': NULL::VARCHAR, 'sequence': '0', 'body': NULL::VARCHAR}}]"
    numbered = f"{literal(rows_name + ' ')} || row_number() OVER ()"
    order = numbered if mapping.order_id is None else text(mapping.order_id)
    filled = f"list_filter([{events}], lambda event: event.ts IS NOT NULL)"
    any_time = " OR ".join(f"time_{number} IS NOT NULL" for number in range(len(chosen)))
    return (
        "SELECT event.kind AS event_type, event.ts AS ts, location, order_id, event.sequence AS sequence, "
        "event.body AS body FROM "
        f"(SELECT location, order_id, unnest(CASE WHEN {any_time} THEN {filled} ELSE {nothing} END) AS event FROM "
        f"(SELECT {_location(mapping)} AS location, {order} AS order_id, {times}{', ' if parts else ''}{parts} "
        f"FROM {reader}))"
    )


def _long(mapping: Mapping, reader: str, types: Dictionary[str, str]) -> str:
    assert mapping.time is not None
    assert mapping.order_id is not None
    if mapping.activity is None:
        kind = f"'{PING}'"
    else:
        label = text(mapping.activity)
        names = " ".join(f"WHEN {literal(label)} THEN '{event}'" for label, event in mapping.events.items())
        kind = f"CASE {label} {names} ELSE {label} END" if names else label
    ranks = " ".join(f"WHEN '{event}' THEN '{number}'" for number, event in enumerate(MILESTONES))
    bodies = _bodies(mapping)
    body = " ".join(f"WHEN '{event}' THEN {expression}" for event, expression in bodies.items())
    sequence = text(mapping.sequence) if mapping.sequence else f"CASE event_type {ranks} END"
    source = ", ".join(quoted(name) for name in mapping.columns())
    return (
        f"SELECT event_type, {time(mapping.time, types)} AS ts, {_location(mapping)} AS location, "
        f"{text(mapping.order_id)} AS order_id, {sequence} AS sequence, "
        f"{f'CASE event_type {body} END' if body else 'NULL::VARCHAR'} AS body "
        f"FROM (SELECT {kind} AS event_type, {source} FROM {reader})"
    )


def _location(mapping: Mapping) -> str:
    return f"'{KITCHEN}'" if mapping.kitchen is None else text(mapping.kitchen)


def _bodies(mapping: Mapping) -> dict[str, str]:
    """Return the expressions for the bodies by event type; only with what the file has."""
    created: dict[str, str] = {}
    if mapping.customer:
        created |= {
            "customer_lat": _degrees(mapping.customer, "lat"),
            "customer_lon": _degrees(mapping.customer, "lon"),
        }
    item = {
        "name": mapping.item and text(mapping.item),
        "brand_id": mapping.brand and text(mapping.brand),
        "price": mapping.price and number(mapping.price),
        "qty": mapping.quantity and number(mapping.quantity),
    }
    if given := {key: value for key, value in item.items() if value}:
        created["items"] = f"json_array({_json(given)})"
    bodies = {"order_created": _object(created)} if created else {}
    if place := mapping.handover or mapping.position:  # where the driver was when the order was handed over
        bodies["delivered"] = _object(
            {"delivered_lat": _degrees(place, "lat"), "delivered_lon": _degrees(place, "lon")}
        )
    if mapping.position:
        place = mapping.position
        bodies[PING] = _object({"loc_lat": _degrees(place, "lat"), "loc_lon": _degrees(place, "lon")})
    if way := _route(mapping):
        bodies["driver_picked_up"] = way
    return bodies


def _route(mapping: Mapping) -> str | None:
    """Return the body of the pick-up: the way where there is one, else the kitchen's place as a single point, which is no way."""
    if mapping.route:
        points = f"try_cast({text(mapping.route.column)} AS DOUBLE[][])"
        if mapping.route.first == "lon":
            points = f"list_transform({points}, lambda point: [point[2], point[1]])"
        return f"CASE WHEN len({points}) > 0 THEN CAST(json_object('route_points', {points}) AS VARCHAR) END"
    if mapping.kitchen_place:
        lat, lon = _degrees(mapping.kitchen_place, "lat"), _degrees(mapping.kitchen_place, "lon")
        point = f"CAST(json_object('route_points', [[{lat}, {lon}]]) AS VARCHAR)"
        return f"CASE WHEN {lat} IS NOT NULL AND {lon} IS NOT NULL THEN {point} END"
    return None


def _degrees(place: Place, which: str) -> str:
    value = number(place.lat if which == "lat" else place.lon)
    return value if place.scale == 1 else f"{value} * {place.scale!r}"


def number(name: str) -> str:
    """Return the expression for a column's finite number; NULL where it has none."""
    value = f"try_cast({text(name)} AS DOUBLE)"
    return f"CASE WHEN isfinite({value}) THEN {value} END"


def _object(values: Dictionary[str, str]) -> str:
    return f"CAST({_json(values)} AS VARCHAR)"


def _json(values: Dictionary[str, str]) -> str:
    pairs = ", ".join(f"'{key}', {value}" for key, value in values.items())
    return f"json_object({pairs})"


def literal(value: str) -> str:
    """Return a text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Return a column's name as SQL."""
    return '"' + name.replace('"', '""') + '"'
