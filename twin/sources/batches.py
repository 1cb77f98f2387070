"""Reads what is new in a source's files by itself, in the way in which all the rest was read."""

import time
from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from twin.sources import event_files, file_paths, kind_of_times, long_lines, queries, tails
from twin.sources.database import Database
from twin.sources.decoding import create_events, rejected_lines
from twin.sources.event_files import EventFile, EventFiles, UnusableError
from twin.sources.file_paths import Found
from twin.sources.file_sorter import FileSorter
from twin.sources.file_states import State
from twin.sources.kind_of_times import Kinds
from twin.sources.queries.times import Reading
from twin.sources.tails import News, OtherwiseError, Piece, Tail


class Batch:
    """The decoded rows of what is new, and what the source then has to know of its files.

    `rows` have the columns of `events`; `broken_lines` are in none of them. `kinds` are those of all times with these. `left_out`
    and `assumed` are sentences about files that came, `filled` those that are no longer true. `waiting` are files that came and
    have no whole line so far, as if they had not come.
    """

    rows: pa.Table

    def __init__(self, sorter: FileSorter, reading: Reading, kinds: Kinds) -> None:
        """`reading` is how all rows so far were read, `kinds` what their times are."""
        self._sorter = sorter
        self._reading = reading
        self.kinds = kinds
        self.size = 0
        self.broken_lines = 0
        self.left_out: tuple[str, ...] = ()
        self.filled: tuple[str, ...] = ()
        self.assumed: tuple[str, ...] = ()
        self.tails: dict[str, Tail] = {}
        self.torn: dict[str, float] = {}
        self.waiting: set[str] = set()
        self._groups: dict[EventFile, list[str]] = {}
        self._unbounded: dict[str, EventFile] = {}

    def read(self, news: News, database: Database, source: str, torn: Mapping[str, float]) -> None:
        """Decode what is new in `database`, whose table of events is replaced. `torn` says since when half lines wait.

        Raises `OtherwiseError` if the rows so far would be read otherwise with these, and `SourceError`.
        """
        for piece in news.pieces:
            self._add_lines(piece)
        if news.new:
            self._add_files(news, source, torn)
        groups = [EventFiles(tuple(paths), like) for like, paths in self._groups.items()]
        if groups:
            self._decode(self._sorter.join(groups), database)
        else:
            self.rows = pa.table({})
        for path in tails.settled(self._unbounded, news.states):
            if (tail := tails.begin(path, self._unbounded[path], news.states[path])) is not None:
                self.tails[path] = tail

    def _add_lines(self, piece: Piece) -> None:
        copy = self._sorter.copy_of(piece.path, tails.in_pieces(piece))
        like = piece.tail.like
        if like.kind != "csv" and tails.may_have_other_columns(piece.lines, like):
            columns = event_files.columns_of_lines(copy)
            try:
                others = replace(like, columns=tuple(dict.fromkeys((*like.columns, *columns)))).written()
            except UnusableError:
                others = {}
            if others != like.written():
                raise OtherwiseError("it has columns of events that were not there before")
        self._groups.setdefault(like, []).append(copy)
        self.size += len(piece.lines)

    def _add_files(self, news: News, source: str, torn: Mapping[str, float]) -> None:
        """Add files that came: of text its whole lines, so that it is certain where they end."""
        found, begun = Found(), dict[str, Piece]()
        for path in news.new:
            name = file_paths.display_name(path, source)
            whole = _whole_lines(path, name, news.states)
            if whole is None:
                found.paths.append(path)
                continue
            piece, rest = whole
            since = torn.get(path, time.monotonic())
            if piece.lines.strip():
                copy = self._sorter.copy_of(path, tails.in_pieces(piece))
                begun[copy] = piece
                found.paths.append(copy)
                if rest:
                    self.torn[path] = time.monotonic()
            elif time.monotonic() - since < tails.STANDS_S:
                self.waiting.add(path)
                self.torn[path] = since
            else:
                found.paths.append(path)
        groups, dimensions = self._sorter.sort(found)
        if dimensions:
            raise OtherwiseError(f"a table of names has come, {', '.join(dimensions)}")
        if self._sorter.broken_rows:
            raise OtherwiseError("a file that came has rows that have to be searched for")
        self.left_out, self.assumed = tuple(self._sorter.left_out), tuple(self._sorter.assumed)
        here = [path for path in news.new if path not in self.waiting]
        names = (file_paths.display_name(path, source) for path in here)
        self.filled = tuple(f"{name} is empty" for name in names)
        self.size += self._sorter.size.bytes
        for group in groups:
            self._groups.setdefault(group.like, []).extend(group.paths)
            for path in group.paths:
                if path in begun:
                    self.tails[begun[path].path] = replace(begun[path].tail, like=group.like)
                elif path in news.states:
                    self._unbounded[path] = group.like

    def _decode(self, groups: list[EventFiles], database: Database) -> None:
        reading = self._reading
        plain = reading.only_plain and all(group.times() == "text" for group in groups)
        create_events(database, groups, reading if plain else replace(reading, only_plain=False))
        if plain:
            if database.execute(queries.leftover_for_duckdb(replace(reading, only_plain=False))):
                raise OtherwiseError("its times are also written in other ways now")
        else:
            self._add_kinds(Kinds.of(database.execute(queries.for_duckdb("times"))))
        if self._sorter.recoded(groups, database) != groups:
            raise OtherwiseError("it has text in another encoding now")
        rejected = rejected_lines(database)
        csv = [event_files.absolute(path) for group in groups if group.like.kind == "csv" for path in group.paths]
        self.broken_lines = len(rejected) + long_lines.uncounted(csv, rejected)
        self.rows = database.table("SELECT * EXCLUDE (form, unread) FROM events")

    def _add_kinds(self, kinds: Kinds) -> None:
        """Add the kinds of times. Raises `OtherwiseError` if those of all rows are then read otherwise."""
        before, reading = self.kinds, self._reading
        self.kinds = kind_of_times.Kinds(before.naive + kinds.naive, before.instants + kinds.instants, 0)
        mixed = reading.times is None and self.kinds.naive and self.kinds.instants
        if kinds.unread or (mixed and (reading.aside is None or self.kinds.times(reading) != before.times(reading))):
            raise OtherwiseError("its times are of another kind now")


def _whole_lines(path: str, name: str, states: Mapping[str, State]) -> tuple[Piece, bytes] | None:
    """Return the whole lines of a file that came, and the half-written one behind these; None if it has no such lines."""
    if states[path][0] == 0 or path.lower().endswith(".gz") or file_paths.format_of(path) not in ("csv", "json"):
        return None
    try:
        kind = "csv" if file_paths.format_of(path) == "csv" else event_files.json_kind(path)
    except (UnusableError, OSError):
        return None
    return tails.from_header(path, kind, name) if kind in tails.TEXTS else None
