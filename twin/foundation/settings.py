"""What a process or a notebook can be told from outside: where the data is, what is promised, what a page may cost.

`Settings.from_environment` is called once where a process or a notebook begins (twin/server/process.py, `twin.open`, the command
line) and handed down; nothing else in `twin` reads the environment, and no module takes a constant from it when it is imported.
So a wrong variable is one clear sentence when something starts, and two kitchens with different targets fit in one notebook.
Times are given in minutes, as people think of them, and kept here in seconds, as everything else is.

It is a plain dataclass because every notebook imports it, and pydantic would be a third of that: docs/decisions/0007.
"""

import math
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

from twin.foundation import memory
from twin.foundation.errors import ConfigError
from twin.foundation.stages import COMPLETED, STAGES
from twin.foundation.zones import is_zone

MINUTE = 60.0

DELIVERY_TARGET_S = 30 * MINUTE
LATE_AFTER_S = 5 * MINUTE
COLD_AFTER_S = 15 * MINUTE
COMPLETION_TARGET = 0.95

MOST_AT_ONCE = 100_000
"""Orders that no kitchen cooks at once."""

MOST_DRAWN = 1_000_000
"""Drivers that no browser draws one by one."""

LONGEST_MIN = 24 * 60.0
"""Minutes beyond which a target is surely a slip of the hand, such as seconds given for minutes."""

SHORTEST_TOKEN = 16
"""Characters of a token that nobody guesses."""

LEAST_MEMORY = 256 << 20
"""Bytes without which a process cannot even begin."""

Dates = Literal["day-first", "month-first"]

TILES = ("streets", "osm", "esri-imagery", "esri-gray")
"""Base maps to begin with: ours, drawn from the data, and those of others."""

STAGE_AMBER: Mapping[str, float] = MappingProxyType(
    {"created": 4 * MINUTE, "cooking": 16 * MINUTE, "ready": 12 * MINUTE, "out_for_delivery": 20 * MINUTE}
)
STAGE_RED: Mapping[str, float] = MappingProxyType(
    {"created": 5 * MINUTE, "cooking": 20 * MINUTE, "ready": 15 * MINUTE, "out_for_delivery": 30 * MINUTE}
)
"""Seconds in a stage after which an order is unusual (amber) or out of the ordinary (red): the kitchens' mean plus two and
three standard deviations (2 ± 1, 10 ± 3 and 8 ± 2 minutes), rounded; on the road, red is the promised delivery time."""

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::[0-9]{{1,5}})?"
_HOST = re.compile(_NAME)
_FILLED_IN = re.compile(r"\{(?:location|start|end)\}")
_ADDRESS = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/?#\[\]-]*")
_ORIGIN = re.compile(rf"https?://{_NAME}")


CACHE_FOLDER = Path(tempfile.gettempdir()) / f"twin-cache-{os.getuid()}"
"""Where files are stored that are made once, if nobody says otherwise."""


def _secrets_folder() -> Path:
    try:
        return Path.home() / ".local" / "state" / "caspers-twin"
    except RuntimeError:  # a user without a home, as in some containers
        return Path(tempfile.gettempdir()) / f"twin-secrets-{os.getuid()}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What is configured; times in seconds, shares 0..1, stage limits per stage key. README.md names the variables.

    >>> Settings.from_environment({"TWIN_DELIVERY_TARGET_MIN": "25"}).delivery_target_s
    1500.0
    >>> Settings.from_environment({"TWIN_STAGE_RED_MIN": "ready=10"}).stage_red_s["ready"]
    600.0
    """

    source: str = "demo"
    """What is opened where nothing else is named; with an inbox the inbox."""
    inbox: Path | None = None
    """Folder of the events that the API takes; None: it takes none."""
    inbox_token: str = field(default="", repr=False)
    """Who sends events shows this; without, nobody can."""
    alerts: str = field(default="", repr=False)
    """Address of the database of rules and alerts, for SQLAlchemy; empty: there are none."""
    alerts_webhook: str = field(default="", repr=False)
    """Address to which alerts are sent; empty: nowhere."""
    alerts_notify: tuple[str, ...] = field(default=(), repr=False)
    """Addresses of apprise to which they are sent in words, by e-mail or into a chat."""
    alerts_secret: str = field(default="", repr=False)
    """Signs what is sent to the webhook."""
    demo: Path = Path("demo")
    """Folder of the demo data, made where it is absent."""
    adapter: Path | None = None
    """What the columns of files mean that are not those of events; without, the adapter that lies beside the files."""
    scenes: Path | None = None
    """A rehearsed show for wall screens."""

    delivery_target_s: float = DELIVERY_TARGET_S
    """From created to delivered, as the business promises."""
    late_after_s: float = LATE_AFTER_S
    """A driver is late who arrives more than this after the food was ready."""
    cold_after_s: float = COLD_AFTER_S
    """A meal is cold that stood longer than this between being finished and picked up; by default, Ready's red limit."""
    completion_target: float = COMPLETION_TARGET
    stage_amber_s: Mapping[str, float] = field(default_factory=lambda: STAGE_AMBER, hash=False)
    stage_red_s: Mapping[str, float] = field(default_factory=lambda: STAGE_RED, hash=False)
    capacity: Mapping[str, int] = field(default_factory=dict, hash=False)
    """Orders that a kitchen can cook at once, by location id; without it, what it has shown that it can."""

    times: Literal["naive", "instants"] | None = None
    """What the times of a source are (twin/sources/base.py); None: what most of them are."""
    dates: Dates | None = None
    """What dates such as 04/05/2025 begin with; None: found where a source has one that can only be one of the two."""
    time_zones: Mapping[str, str] = field(default_factory=dict, hash=False)
    """IANA zone of the kitchens whose data has instants, by location id; under "" that of all others."""

    tiles: str = "streets"
    """Of `TILES`, or "file": the base map that a page begins with."""
    tile_file: Path | None = None
    """PMTiles file of the base map "file", which is offered beside the others."""
    places: Path | None = None
    """File with the water, parks and names that the map shows; without, the `places.geojson` that lies beside the data."""
    glyphs_to: int = 250
    """Drivers on the road up to which the map draws each as a glyph; more are written pixel by pixel, several times as fast."""
    dense_from: int = 20_000
    """Drivers on the road, and in view, above which the map shows their density: a browser draws so many smoothly."""

    memory_bytes: int = field(default_factory=memory.usual)
    """Memory that the process may take: the database of a source, the rows of a range and timelines each have a share of it."""
    max_rows: int = 50_000_000
    """Rows that the files of a source may have."""
    max_decoded_bytes: int = 32 << 30
    """Bytes that the files of a source may have once they are uncompressed, and that their events may take on disk."""
    max_files: int = 100_000
    """Files that a source may have."""
    max_locations: int = 50_000
    """Locations that the files of a source may have."""

    max_streams: int = 16
    """Replays that may be open at once."""
    client_streams: int = 8
    """Of these, those of one client."""
    max_sessions: int = 300
    """Sessions of pages that a process holds at once; a playing one takes about a hundredth of a core."""
    client_sessions: int = 150
    """Of these, those of one client: an address, or the user where a proxy names one."""
    max_connections: int = 1000
    """Connections that are open at once, WebSockets included; fewer where the system allows fewer open files."""
    cors_origins: frozenset[str] = frozenset()
    """Web origins whose pages may read the API."""
    hosts: tuple[str, ...] = ()
    """Hosts under which browsers open the server, beside localhost and plain addresses; with a port only that port."""
    embed_origins: frozenset[str] = frozenset()
    """Web origins whose pages may show ours inside theirs."""
    secrets: Path = field(default_factory=_secrets_folder)
    """Folder of the secret that signs sessions and logins; it and the secret are made where they are absent."""
    logo_origins: frozenset[str] = frozenset()
    """Web origins from which a wall screen may load its logo, beside our own."""

    ask_link: str = ""
    """Address of a page to ask about what is seen, with {location}, {start} and {end}; empty: none is offered."""
    dashboard_link: str = ""
    """The same of a dashboard about what is seen."""

    final_after_s: float = 5 * MINUTE
    """Events may come so much later than the latest: figures of a live kitchen are provisional for so long, then final."""
    refresh_s: float = 10 * MINUTE
    """What is known of a table that grows may be so old when somebody chooses a kitchen or a range; then it is asked again."""
    live_s: float = 30.0
    """A warehouse is asked so many seconds after the last time while somebody follows a kitchen: each time costs money."""
    late_s: float = 15 * MINUTE
    """Rows whose time lies so many seconds before the latest one may still come in; later ones have everything read again."""
    cache_folder: Path = field(default_factory=lambda: CACHE_FOLDER)
    """Where what was read from a warehouse is kept, for this user alone."""
    cache_bytes: int = 2048 << 20
    """So much of it at most, 0 for nothing; 90 days with a million events take some 60 MB."""
    catalog: str = "caspersdev"
    lakeflow_schema: str = "lakeflow"
    simulator_schema: str = "simulator"
    warehouse_path: str = ""
    """HTTP path of the SQL warehouse; empty: none is named. Host and credentials are the SDK's own affair."""
    cloud_fetch: bool = True
    """Whether large results of the warehouse may come as files from the workspace's storage, which many an app cannot reach."""
    pipeline: bool = True
    """Whether the tables of the product's own pipeline are read where they are; else the raw table is."""
    query_tags: bool = True
    """Whether each statement tells the warehouse what it is for: the part of the product, the query, the kitchen's id."""
    otlp_endpoint: str = ""
    """Address of an OpenTelemetry collector that takes metrics, logs and traces over HTTP; empty: nothing is sent."""
    on_behalf_of_user: bool = False
    """Whether a warehouse is read with the rights of who looks, by a token that the app's proxy forwards, not with the app's."""
    rights_s: float = 15 * MINUTE
    """What was read with a user's rights counts so long; then it is read anew, and what he may read no more is gone."""
    app_name: str = ""
    """Name as a Databricks app, whose proxy tells who looks; empty elsewhere."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; what is not set, or empty, keeps its default.

        Parameters
        ----------
        environment : mapping of str, optional
            Variables by name, by default the process's.

        Returns
        -------
        Settings

        Raises
        ------
        ConfigError
            For what makes no sense.
        """
        default = cls()
        given = {name: text.strip() for name, text in environment.items()}
        warehouse = given.get("DATABRICKS_WAREHOUSE_ID", "")
        inbox = _inbox(given)
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
            source=given.get("TWIN_SOURCE") or (str(inbox) if inbox else default.source),
            inbox=inbox,
            inbox_token=given.get("TWIN_INBOX_TOKEN", ""),
            alerts=_alerts(given, default),
            alerts_webhook=_webhook(given),
            alerts_notify=tuple(given.get("TWIN_ALERTS_NOTIFY", "").split()),
            alerts_secret=given.get("TWIN_ALERTS_SECRET", ""),
            demo=Path(given.get("TWIN_DEMO") or default.demo),
            adapter=Path(given["TWIN_ADAPTER"]) if given.get("TWIN_ADAPTER") else None,
            scenes=Path(given["TWIN_SCENES"]) if given.get("TWIN_SCENES") else None,
            delivery_target_s=target,
            late_after_s=_minutes(environment, "TWIN_LATE_AFTER_MIN", default.late_after_s),
            cold_after_s=_minutes(environment, "TWIN_COLD_AFTER_MIN", default.cold_after_s),
            completion_target=_percent(environment, "TWIN_COMPLETION_TARGET_PERCENT", default.completion_target),
            stage_amber_s=MappingProxyType(amber),
            stage_red_s=MappingProxyType(red),
            capacity=_capacities(environment, "TWIN_KITCHEN_CAPACITY"),
            times=cast(Any, _one_of(environment, "TWIN_TIMES", ("naive", "instants"))),
            dates=cast(Any, _one_of(environment, "TWIN_DATES", ("day-first", "month-first"))),
            time_zones=_zones(environment, "TWIN_TIME_ZONE"),
            tiles="file" if (tile_file := _tile_file(given)) else _tiles(environment, "TWIN_TILES", default.tiles),
            tile_file=tile_file,
            places=Path(given["TWIN_PLACES"]) if given.get("TWIN_PLACES") else None,
            glyphs_to=_drivers(environment, "TWIN_GLYPH_DRIVERS", default.glyphs_to),
            dense_from=_drivers(environment, "TWIN_DENSE_DRIVERS", default.dense_from),
            memory_bytes=_size(environment, "TWIN_MEMORY", default.memory_bytes, LEAST_MEMORY),
            max_rows=_whole(environment, "TWIN_MAX_ROWS", default.max_rows, 1, "a whole number over 0"),
            max_decoded_bytes=_size(environment, "TWIN_MAX_DECODED", default.max_decoded_bytes, 1),
            max_files=_whole(environment, "TWIN_MAX_FILES", default.max_files, 1, "a whole number over 0"),
            max_locations=_whole(environment, "TWIN_MAX_LOCATIONS", default.max_locations, 1, "a whole number over 0"),
            max_streams=_whole(environment, "TWIN_MAX_STREAMS", default.max_streams, 1, "a whole number over 0"),
            client_streams=_whole(
                environment, "TWIN_CLIENT_STREAMS", default.client_streams, 1, "a whole number over 0"
            ),
            max_sessions=_whole(environment, "TWIN_MAX_SESSIONS", default.max_sessions, 1, "a whole number over 0"),
            client_sessions=_whole(
                environment, "TWIN_CLIENT_SESSIONS", default.client_sessions, 1, "a whole number over 0"
            ),
            max_connections=_whole(
                environment, "TWIN_MAX_CONNECTIONS", default.max_connections, 20, "a whole number of at least 20"
            ),
            cors_origins=frozenset(filter(None, map(_origin, given.get("TWIN_CORS_ORIGINS", "").split(",")))),
            hosts=_hosts(environment, "TWIN_HOSTS"),
            embed_origins=_origins(environment, "TWIN_EMBED_ORIGINS"),
            logo_origins=_origins(environment, "TWIN_LOGO_ORIGINS"),
            ask_link=_link(environment, "TWIN_ASK_LINK"),
            dashboard_link=_link(environment, "TWIN_DASHBOARD_LINK"),
            secrets=Path(given.get("TWIN_SECRETS") or default.secrets).absolute(),
            final_after_s=_minutes(environment, "TWIN_FINAL_AFTER_MIN", default.final_after_s),
            refresh_s=_minutes(environment, "TWIN_REFRESH_MIN", default.refresh_s),
            live_s=_seconds(environment, "TWIN_LIVE_S", default.live_s),
            late_s=_seconds(environment, "TWIN_LATE_ROWS_S", default.late_s),
            rights_s=_minutes(environment, "TWIN_RIGHTS_MIN", default.rights_s),
            cache_folder=Path(given.get("TWIN_CACHE") or default.cache_folder),
            cache_bytes=_whole(
                environment,
                "TWIN_CACHE_MB",
                default.cache_bytes >> 20,
                0,
                "a whole number of megabytes, 0 to keep nothing",
            )
            << 20,
            catalog=given.get("CATALOG") or default.catalog,
            lakeflow_schema=given.get("LAKEFLOW_SCHEMA") or default.lakeflow_schema,
            simulator_schema=given.get("SIMULATOR_SCHEMA") or default.simulator_schema,
            warehouse_path=given.get("DATABRICKS_HTTP_PATH")
            or (f"/sql/1.0/warehouses/{warehouse}" if warehouse else ""),
            cloud_fetch=(_one_of(environment, "TWIN_CLOUD_FETCH", ("on", "off")) or _usual_cloud_fetch(given)) == "on",
            pipeline=_one_of(environment, "TWIN_PIPELINE", ("on", "off")) != "off",
            query_tags=_one_of(environment, "TWIN_QUERY_TAGS", ("on", "off")) != "off",
            otlp_endpoint=given.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
            on_behalf_of_user=_on_behalf_of_user(environment),
            app_name=given.get("DATABRICKS_APP_NAME", ""),
        )


def _alerts(given: Mapping[str, str], default: "Settings") -> str:
    """Return the address of the database: "on" is a file of SQLite beside the secret."""
    address = given.get("TWIN_ALERTS", "")
    folder = Path(given.get("TWIN_SECRETS") or default.secrets).absolute()
    return f"sqlite:///{folder / 'alerts.db'}" if address == "on" else "" if address == "off" else address


def _webhook(given: Mapping[str, str]) -> str:
    address, secret = given.get("TWIN_ALERTS_WEBHOOK", ""), given.get("TWIN_ALERTS_SECRET", "")
    if not address:
        return ""
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", address):
        raise ConfigError("TWIN_ALERTS_WEBHOOK is no address: give one that begins with https:// or http://.")
    if len(secret) < SHORTEST_TOKEN:
        raise ConfigError(f"TWIN_ALERTS_WEBHOOK needs a TWIN_ALERTS_SECRET of at least {SHORTEST_TOKEN} characters.")
    return address


def _inbox(given: Mapping[str, str]) -> Path | None:
    folder, token = given.get("TWIN_INBOX", ""), given.get("TWIN_INBOX_TOKEN", "")
    if bool(folder) != bool(token):
        raise ConfigError("TWIN_INBOX and TWIN_INBOX_TOKEN belong together: set both, or neither.")
    if token and len(token) < SHORTEST_TOKEN:
        raise ConfigError(
            f"TWIN_INBOX_TOKEN has fewer than {SHORTEST_TOKEN} characters, which can be guessed: make a longer one."
        )
    return Path(folder).expanduser().absolute() if folder else None


def _tile_file(given: Mapping[str, str]) -> Path | None:
    text = given.get("TWIN_TILES", "")
    return Path(text).expanduser() if text.lower().endswith(".pmtiles") else None


def _tiles(environment: Mapping[str, str], name: str, default: str) -> str:
    text = environment.get(name, "").strip() or default
    if text not in TILES:
        raise ConfigError(f"{name} is {text!r}; it can be {', '.join(TILES)}, or a file *.pmtiles.")
    return text


def _one_of(environment: Mapping[str, str], name: str, values: Sequence[str]) -> str | None:
    text = environment.get(name, "").strip().lower()
    if text and text not in values:
        raise ConfigError(f"{name} is {text!r}; it can be {' or '.join(values)}. Mend or unset it.")
    return text or None


def _usual_cloud_fetch(given: Mapping[str, str]) -> str:
    """Return "off" in a Databricks app, whose traffic out is restricted, else "on"."""
    return "off" if given.get("DATABRICKS_APP_PORT") else "on"


def _on_behalf_of_user(environment: Mapping[str, str]) -> bool:
    """Read whether users read with their own rights. Elsewhere than in an app nobody vouches for whose a request is."""
    if _one_of(environment, "TWIN_ON_BEHALF_OF_USER", ("on", "off")) != "on":
        return False
    if not environment.get("DATABRICKS_APP_NAME", "").strip():
        raise ConfigError(
            "TWIN_ON_BEHALF_OF_USER is on outside of a Databricks app, where no proxy says who looks. Unset it, or let the "
            "platform run the app."
        )
    return True


def _origin(text: str) -> str:
    return text.strip().rstrip("/")


def _hosts(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Read "twin.example,10.0.0.5:8080". A wildcard is refused: it would let any site drive a user's page."""
    return _listed(environment, name, _HOST, "host", "twin.example, 10.0.0.5 or twin.example:8443")


def _origins(environment: Mapping[str, str], name: str) -> frozenset[str]:
    """Read "https://wiki.example,https://intranet.example:8443". What is no origin is refused: these go into a header."""
    return frozenset(_listed(environment, name, _ORIGIN, "web origin", "https://wiki.example"))


def _link(environment: Mapping[str, str], name: str) -> str:
    """Read "https://wiki.example/kitchens/{location}?from={start}&to={end}". What fills it in never chooses the host."""
    text = environment.get(name, "").strip()
    host, _, rest = text.removeprefix("https://").partition("/")
    fixed = _FILLED_IN.sub("", rest)
    if text and not (text.startswith("https://") and _HOST.fullmatch(host.lower()) and _ADDRESS.fullmatch(fixed)):
        raise ConfigError(
            f"{name} is {text!r}: it must be an https address whose path or query may have {{location}}, {{start}} and {{end}}, "
            "such as https://wiki.example/kitchens?id={location}. Mend or unset it."
        )
    return text


def _listed(
    environment: Mapping[str, str], name: str, valid: re.Pattern[str], what: str, example: str
) -> tuple[str, ...]:
    texts = [text.strip().rstrip("/").lower() for text in environment.get(name, "").split(",")]
    for text in filter(None, texts):
        if not valid.fullmatch(text):
            raise ConfigError(f"{name}: {text!r} is no {what}. Give some such as {example}, separated by commas.")
    return tuple(dict.fromkeys(filter(None, texts)))


def _whole(environment: Mapping[str, str], name: str, default: int, least: int, what: str) -> int:
    text = environment.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdecimal() and int(text) >= least):
        raise ConfigError(f"{name} is {text!r}: it must be {what}. Mend or unset it.")
    return int(text)


def _size(environment: Mapping[str, str], name: str, default: int, least: int) -> int:
    """Read a size with its unit, such as "6GB"."""
    text = environment.get(name, "").strip()
    size = memory.parse(text) if text else default
    if size is None or (text and size < least):
        raise ConfigError(
            f"{name} is {text!r}: it must be a size such as 6GB or 800MB, at least {memory.words(least)}."
        )
    return size


def _minutes(environment: Mapping[str, str], name: str, default_s: float) -> float:
    text = environment.get(name, "").strip()
    return _number(text, name, LONGEST_MIN, "minutes, such as 30") * MINUTE if text else default_s


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "").strip()
    return _number(text, name, LONGEST_MIN * MINUTE, "seconds, such as 30") if text else default


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


def _zones(environment: Mapping[str, str], name: str) -> Mapping[str, str]:
    """Read "America/Chicago" or "sanfrancisco=America/Los_Angeles,America/Chicago": zones by location, and of all others."""
    zones = {}
    for part in filter(None, (part.strip() for part in environment.get(name, "").split(","))):
        location, _, zone = (piece.strip() for piece in part.rpartition("="))
        if not is_zone(zone):
            raise ConfigError(
                f"{name}: {zone!r} is no time zone. Name one of the IANA database, as in America/Chicago or "
                "sanfrancisco=America/Los_Angeles."
            )
        zones[location] = zone
    return MappingProxyType(zones)


def _number(text: str, where: str, most: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= most:  # false for NaN
        raise ConfigError(f"{where} is {text!r}: it must be over 0 and at most {most:g} {what}. Mend or unset it.")
    return value
