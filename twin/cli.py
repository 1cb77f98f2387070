"""The command line: `twin serve`, `demo`, `check`, `report` and `adapt`. It parses options and calls other modules."""

import argparse
import gc
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import twin
from twin.foundation import errand, memory
from twin.foundation.errors import ConfigError, TwinError, UnknownTimeError
from twin.foundation.settings import Settings
from twin.foundation.times import seconds, text
from twin.foundation.version import VERSION
from twin.sources.base import Location

MOST_SPEED = 10_000
"""Times as fast as life at which events are sent at most."""
EPOCH = date(1970, 1, 1).toordinal()
ADAPTER_HELP = "a YAML file that says what columns of your own mean (default: the one beside the data; see twin adapt)"
ADAPT_EPILOG = (
    "Roles: order_id, kitchen, activity, time, brand, item, price, quantity, route, customer_lat, customer_lon … and, of "
    "a row per order, the milestones order_created, gk_started, gk_finished, gk_ready, driver_arrived, driver_picked_up, "
    "delivered, order_cancelled. See docs/adapters.md."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; 2, with one sentence on stderr, for errors that the user can correct."""
    parser = _parser()
    options, others = parser.parse_known_args(arguments)
    if others and options.command != "serve":
        parser.error(f"unknown option {others[0]}; see twin {options.command} --help")
    try:
        match options.command:
            case "serve":
                gc.disable()  # a quarter of what the import takes, for garbage that is not there
                from twin.serve import serve  # noqa: PLC0415  # Panel, which only a server needs

                memory.keep()
                serve(options.source, options.address, options.port, others, options.scenes, options.adapter)
            case "check":
                _check(options.source, options.adapter)
            case "report":
                _report(options)
            case "adapt":
                from twin.sources.adapters.command import adapt  # noqa: PLC0415  # RapidFuzz and pydantic, for it alone

                adapt(options)
            case _:
                _demo(options)
    except TwinError as error:
        print(f"twin: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="twin", description="Digital twin of Casper's Kitchens.")
    parser.add_argument("--version", action="version", version=f"twin {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the dashboards", epilog="Other options go to `panel serve`.")
    serve.add_argument(
        "--source",
        help="demo, databricks://catalog.schema, or a file, folder, Delta table or glob of event rows "
        "(default: $TWIN_SOURCE, else demo)",
    )
    serve.add_argument("--port", type=int, default=5006)
    serve.add_argument("--address", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--scenes", help="a YAML file of scenes for the wall screens at /kiosk (see docs/kiosk.md)")
    serve.add_argument("--adapter", type=Path, help=ADAPTER_HELP)
    check = commands.add_parser("check", help="print what a source holds")
    check.add_argument("source", help="demo, databricks://catalog.schema, or a file, folder or glob of event rows")
    check.add_argument("--adapter", type=Path, help=ADAPTER_HELP)
    _report_options(
        commands.add_parser("report", help="write the report of a kitchen's day as one page to print or mail")
    )
    _adapt_options(commands.add_parser("adapt", help="find out what columns of your own mean", epilog=ADAPT_EPILOG))
    demo = commands.add_parser("demo", help="write demo data in the real schema")
    demo.add_argument("--out", type=Path, help="folder to write (default: $TWIN_DEMO, else ./demo)")
    demo.add_argument("--generation", choices=["2025", "2026"], default="2025", help="schema (default: %(default)s)")
    demo.add_argument("--days", type=int, help="days of data (default: 7)")
    demo.add_argument("--end", type=date.fromisoformat, help="last day (default: 2025-10-17)")
    demo.add_argument("--scale", type=float, help="times as many orders (default: 1)")
    demo.add_argument("--seed", type=int, help="the same seed writes the same data")
    demo.add_argument("--dq", type=float, help="share of rows to spoil, 0 to 1 (default: 0.003)")
    demo.add_argument("--config", type=Path, help="a generator configuration (JSON), or a folder of them")
    live = demo.add_argument_group("live", "send the events while they happen, instead of writing files")
    live.add_argument("--live", metavar="WHERE", help="the address of a server with an inbox, or a folder to write to")
    live.add_argument("--speed", type=float, default=60.0, help="times as fast as life (default: %(default)g)")
    live.add_argument(
        "--from", dest="begin", default="11:00", help="time of the last day to begin at (default: %(default)s)"
    )
    live.add_argument("--late", type=float, default=0.0, help="share of events that come late, 0 to 1 (default: 0)")
    live.add_argument("--repeated", type=float, default=0.0, help="share of events that come twice (default: 0)")
    live.add_argument("--shuffled", action="store_true", help="neighbours change places")
    demo.add_argument("--format", help="parquet, csv, csv.gz, jsonl or json (default: parquet)")
    return parser


def _adapt_options(adapt: argparse.ArgumentParser) -> None:
    adapt.add_argument("source", help="a file, folder or glob with a row per order or a row per event")
    adapt.add_argument("--out", type=Path, help="file to write (default: beside the data)")
    adapt.add_argument("--force", action="store_true", help="replace a file that is there already")
    adapt.add_argument("--dry-run", action="store_true", help="write nothing")
    adapt.add_argument(
        "--set", action="append", default=[], metavar="ROLE=COLUMN", help="correct a guess; ROLE= for none"
    )
    adapt.add_argument(
        "--event", action="append", default=[], metavar="NAME=EVENT", help="what the name of an activity means"
    )
    for first in ("day", "month"):
        adapt.add_argument(
            f"--{first}-first", action="append", nargs="?", const="", default=[], metavar="COLUMN",
            help=f"03/04 is written {first} first, in one column or in all",
        )  # fmt: skip
    adapt.add_argument("--day", type=date.fromisoformat, help="day from which minutes or seconds are counted")
    adapt.add_argument("--year", type=int, help="year of times that are written without one")
    adapt.add_argument("--shape", choices=["wide", "long"], help="a row per order, or a row per event")
    adapt.add_argument("--ask", action="store_true", help="ask in the terminal what only a person can say")


def _demo(options: argparse.Namespace) -> None:
    if options.live:
        _demo_live(options)
        return
    from twin.simulator import write_demo  # noqa: PLC0415  # only to make data

    given = {name: getattr(options, name) for name in ("days", "end", "scale", "seed", "dq", "config")}
    given["file_format"] = options.format
    folder = options.out or Settings.from_environment().demo.resolve()
    summary = write_demo(
        folder,
        generation=options.generation,
        progress=lambda message, share: print(f"{message} … {share:.0%}", file=sys.stderr),
        **{name: value for name, value in given.items() if value is not None},
    )
    print(f"{summary.events:,} events of {summary.orders:,} orders in {folder}")
    for note in summary.notes:
        print(f"  note: {note}")
    for incident in summary.incidents:
        print(
            f"  planted: {text(incident.start)} to {text(incident.end)[11:16]}, {incident.location}: {incident.title}"
        )


def _demo_live(options: argparse.Namespace) -> None:
    """Send the demo's events until they are over, or until interrupted."""
    from twin.simulator import feed  # noqa: PLC0415  # only to make data
    from twin.simulator.demo import DEFAULT_SEED, LAST_DAY  # noqa: PLC0415

    for name, share in (("late", options.late), ("repeated", options.repeated)):
        if not 0 <= share <= 1:
            raise ConfigError(f"--{name} is {share:g}: give a share from 0 to 1.")
    if not 0 < options.speed <= MOST_SPEED:
        raise ConfigError(f"--speed is {options.speed:g}: give a number above 0 and up to {MOST_SPEED:g}.")
    last = options.end or LAST_DAY
    try:
        begin = seconds(f"{last.isoformat()} {options.begin}")
    except ValueError as error:
        raise ConfigError(f"--from is {options.begin!r}: give a time of day such as 11:00.") from error
    print("Making the events …", file=sys.stderr)
    lines = feed.simulated_lines(
        options.days or 7, last, options.seed or DEFAULT_SEED, options.scale or 1.0, options.generation
    )
    disorder = feed.Disorder(options.late, options.repeated, options.shuffled)
    schedule = feed.Schedule.of(lines, disorder, options.seed or DEFAULT_SEED)
    token = Settings.from_environment().inbox_token
    sink = feed.HttpSink(options.live, token) if "://" in options.live else feed.FileSink(Path(options.live))
    total = len(schedule.lines)
    feed.Feed(schedule, sink, begin=begin, speed=options.speed).run(
        lambda t, sent: print(f"\r{text(t)}  {sent:,} of {total:,} events", end="", file=sys.stderr, flush=True)
    )
    print(file=sys.stderr)


_TIMES = {
    "naive": "as the source writes them, without a zone (TWIN_TIMES=instants: they are UTC)",
    "instants": "instants, in UTC, as their offsets or zones say (TWIN_TIMES=naive: as they are written)",
}


def _report_options(report: argparse.ArgumentParser) -> None:
    report.add_argument("source", help="as for serve")
    report.add_argument("--location", help="the kitchen's id (default: the only one)")
    day = report.add_mutually_exclusive_group()
    day.add_argument(
        "--day", type=date.fromisoformat, help="YYYY-MM-DD on the kitchen's clock (default: its last whole day)"
    )
    day.add_argument("--week", type=date.fromisoformat, help="the seven days that begin with this one")
    report.add_argument("-o", "--output", type=Path, required=True, help="the HTML file to write")
    report.add_argument("--link", default="", help="address of the live page, to lead to from the report")
    report.add_argument("--adapter", type=Path, help=ADAPTER_HELP)


def _report(options: argparse.Namespace) -> None:
    from twin.reports.day import last_whole_day, save_report  # noqa: PLC0415  # Jinja, for it alone

    with errand.on(page="report"):
        hub = twin.open(options.source, adapter=options.adapter)
        with closing(hub.source):
            place = _only_place(hub, options.location)
            tz = place.tz
            if options.day is None and options.week is None:
                first = tz.day(last_whole_day(hub, place.id)[0])
            else:
                first = (options.day or options.week).toordinal() - EPOCH
            window = float(tz.start_of(first)), float(tz.start_of(first + (7 if options.week else 1)))
            if hub.within(place.id, *window) is None:
                first_day, last_day = tz.text(place.start)[:10], tz.text(place.end)[:10]
                raise UnknownTimeError(f"{place.label} has no orders then: its record is of {first_day} to {last_day}.")
            written = save_report(hub, hub.timeline(place.id, *window), options.output, options.link)
    print(f"{place.label}: written to {written}")


def _only_place(hub: twin.Twin, name: str | None) -> Location:
    """Return the kitchen of this id, or the only one. Raises `ConfigError` or `UnknownLocationError`."""
    places = hub.locations
    if name is None and len(places) != 1:
        some = ", ".join(place.id for place in places[:20])
        raise ConfigError(f"Name the kitchen with --location: {some}{' …' if len(places) > 20 else ''}")
    return hub.location(name or places[0].id)


def _check(source: str, adapter: Path | None) -> None:
    with errand.on(page="check"):
        opened = twin.open(source, adapter=adapter)
        with closing(opened.source):
            _print_contents(opened)


def _kilometres(radius_m: float | None) -> str:
    return "radius unknown" if radius_m is None else f"{radius_m / 1000:.1f} km"


def _print_contents(opened: twin.Twin) -> None:
    print(f"{'location':<34} {'name':<22} {'orders':>9}  {'first event':<19}  {'last event':<19}  kitchen")
    for place in opened.locations:
        where = "unknown" if place.lat is None else f"{place.lat:.4f},{place.lon:.4f} ({_kilometres(place.radius_m)})"
        first, last = place.tz.text(place.start), place.tz.text(place.end)
        where += f", times in {place.zone}, {place.zone_origin}" if place.zone else ""
        print(f"{place.id:<34} {place.display_name:<22} {place.orders:>9,}  {first}  {last}  {where}")
    print(f"\ntimes: {_TIMES[opened.source.times]}")
    quality = opened.quality()
    print(f"{quality.read:,} rows read = {quality.used:,} used + {quality.read - quality.used:,} set aside")
    for reason, count in sorted(quality.rejected.items(), key=lambda item: -item[1]):
        print(f"{count:>12,}  set aside: {reason}")
    for flag, count in sorted(quality.flagged.items(), key=lambda item: -item[1]):
        print(f"{count:>12,}  used, but: {flag}")
    for sentence in quality.left_out:
        print(f"    left out: {sentence}.")
    for sentence in quality.assumed:
        print(f"     assumed: {sentence}.")
    if gold := opened.source.gold():
        print("\norders here, and in the pipeline's gold_order_header:")
        mine = {place.id: place.orders for place in opened.locations}
        for name in sorted({*mine, *gold}):
            here, there = mine.get(name, 0), gold.get(name, 0)
            verdict = (
                "the same" if here == there else f"{abs(here - there):,} {'more' if here > there else 'fewer'} here"
            )
            print(f"{name:<34} {here:>9,} {there:>9,}  {verdict}")


if __name__ == "__main__":
    sys.exit(main())
