"""The command `twin adapt`: proposes, takes corrections, checks, and writes the adapter beside the data."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from twin.foundation.errors import ConfigError, SourceError
from twin.foundation.settings import Settings
from twin.sources import file_paths
from twin.sources.adapters import mapping as mappings
from twin.sources.adapters import report
from twin.sources.adapters.adapt import Adaptation
from twin.sources.adapters.choosing import answered
from twin.sources.adapters.guess import Choices, Proposal
from twin.sources.adapters.mapping import MILESTONES, PING

ANSWERS = {
    "day or month": "Say --day-first {column} or --month-first {column}",
    "day": "Say --day YYYY-MM-DD",
    "year": "Say --year YYYY",
}


def adapt(options: argparse.Namespace, ask: Callable[[str], str] | None = None) -> None:
    """Run the command. Raises `SourceError` for questions that are open, `ConfigError` for options that make no sense."""
    settings = Settings.from_environment()
    out = options.out or Path(file_paths.adapter_beside(options.source))
    choices = choices_from(options)
    if not options.dry_run and not options.force and os.path.lexists(out):
        raise SourceError(f"{out} is there already: add --force to replace it, or --dry-run to write nothing.")
    with closing(Adaptation(options.source, settings)) as adaptation:
        proposal = adaptation.propose(choices)
        while options.ask and proposal.questions:
            question = proposal.questions[0]
            choices = answered(choices, question.kind, question.column, (ask or input)(f"{question.sentence} "))
            proposal = adaptation.propose(choices)
        _print(report.proposal_lines(options.source, proposal, adaptation.profile.rows))
        mapping = proposal.mapping
        if mapping is None:
            raise SourceError(_open_words(options.source, proposal))
        print()
        _print(report.check_lines(adaptation.check(mapping), mapping.shape == "wide"))
    if not options.dry_run:
        mappings.write(mapping, out, Path(options.source).name, replace=options.force)
        beside = str(out) == file_paths.adapter_beside(options.source)
        print(f"\nwritten: {out}\ntwin serve --source {options.source}{'' if beside else f' --adapter {out}'}")


def choices_from(options: argparse.Namespace) -> Choices:
    """Return what the options say. Raises `ConfigError`."""
    roles = dict(_pair(text, "--set") for text in options.set)
    known = {role for role in report.ROLES if role not in ("date", PING)}
    for role in roles:
        if role not in known:
            raise ConfigError(f"--set: there is no role {role!r}. Roles are {', '.join(sorted(known))}.")
    events = dict(_pair(text, "--event") for text in options.event)
    for event in filter(None, events.values()):
        if event not in (*MILESTONES, PING):
            raise ConfigError(f"--event: there is no event {event!r}. Events are {', '.join((*MILESTONES, PING))}.")
    day_first = dict.fromkeys(options.day_first, True) | dict.fromkeys(options.month_first, False)
    if both := set(options.day_first) & set(options.month_first):
        raise ConfigError(f"--day-first and --month-first both name {', '.join(both) or 'all columns'}: which is it?")
    return Choices(roles, events, day_first, options.day, options.year, options.shape or "")


def _open_words(source: str, proposal: Proposal) -> str:
    if proposal.lacks:
        return f"{source}: {proposal.lacks} Say it with --set ROLE=COLUMN; twin adapt --help lists the roles."
    question = proposal.questions[0]
    more = len(proposal.questions) - 1
    others = f" ({more} more question{'s' * (more != 1)} after it)" if more else ""
    return f"{question.sentence} {ANSWERS[question.kind].format(column=question.column)}, or add --ask.{others}"


def _pair(text: str, option: str) -> tuple[str, str]:
    name, equals, value = text.rpartition("=") if option == "--event" else text.partition("=")
    if not equals or not name:
        raise ConfigError(
            f"{option} {text!r}: write it as in {option} {'NAME=EVENT' if option == '--event' else 'ROLE=COLUMN'}."
        )
    return name.strip(), value.strip()


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
