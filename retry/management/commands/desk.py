"""``manage.py desk NOUN VERB``: everything that the API does."""

import argparse
import time
from collections import defaultdict
from collections.abc import Mapping
from typing import IO, Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser
from rich.console import Console

from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.management.desk.call import BAD_REQUEST, Caller, Refused
from retry.management.desk.options import add_options, make_body, make_query, read_given
from retry.management.desk.output import format_json, write_answer
from retry.management.desk.verbs import Verb, list_verbs
from retry.outcomes import Actor, Channel

HELP = """\
Everything that the JSON API does, with the same names: see docs/api.md.

examples:
  manage.py desk operations list --state paused
  manage.py desk operations pause 6f0c… --reason "too fast"
  manage.py desk entries retry-bulk --filter status=failed --filter source=news --wait
  manage.py desk entries submit --kind webhook --entries @orders.json --json
  manage.py desk errors prove 12 --as anna

exit codes:
  0  done; with --wait also: all succeeded
  1  refused, such as an entry that has not failed; with --wait: not all succeeded
  2  what was asked is wrong: an unknown id or name, a value that is not valid
  3  not possible now: the database cannot be reached"""

_CONVERTERS: Mapping[str, Any] = {"int": int, "uuid": UUID}
_INTERVAL = 0.5
#: States of what has not ended, and stands still until a person does something.
_STOPPED = {"paused", "awaiting_approval"}


class Command(DeskCommand):
    help = "Everything that the JSON API does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.description = HELP
        by_noun: dict[str, list[Verb]] = defaultdict(list)
        for verb in list_verbs():
            by_noun[verb.noun].append(verb)
        nouns = parser.add_subparsers(dest="noun", metavar="NOUN", required=True)
        for noun, verbs in by_noun.items():
            names = ", ".join(verb.name for verb in verbs)
            below = nouns.add_parser(noun, help=names, description=f"What can be done: {names}.")
            choices = below.add_subparsers(dest="verb", metavar="VERB", required=True)
            for verb in verbs:
                _add_verb(
                    choices.add_parser(verb.name, help=verb.words, description=verb.description),
                    verb,
                )

    def handle(self, *args: Any, **options: Any) -> None:
        verb: Verb = options["chosen"]
        caller = Caller(_find_actor(options["as_user"]))
        given = read_given(options, verb.fields)
        path = {name: options[f"path_{name}"] for name, _ in verb.parameters}
        try:
            if verb.http == "get":
                answer = caller.call(verb, path, query=make_query(given))
            else:
                answer = caller.call(verb, path, body=make_body(given, verb.fields))
            if options["wait"]:
                answer = self._follow(answer, caller, quiet=options["json"])
        except Refused as error:
            if options["json"]:
                self.stdout.write(format_json(error.answer))
            raise CommandError(str(error), returncode=error.exit_code) from error
        if options["json"]:
            self.stdout.write(format_json(answer))
        else:
            # What is written to, which rich asks whether it is a terminal.
            stream = cast("IO[str]", self.stdout._out)  # noqa: SLF001
            write_answer(answer, Console(file=stream, highlight=False))
        if options["wait"] and not _has_succeeded(answer):
            raise SystemExit(1)

    def _follow(self, answer: Mapping[str, Any], caller: Caller, *, quiet: bool) -> dict[str, Any]:
        """Wait for what was started, and return how it ended; of what was submitted, all runs."""
        if "runs" not in answer:
            return self._wait(answer, caller, quiet=quiet)
        runs = [self._wait(run, caller, quiet=quiet) for run in answer["runs"]]
        return {**answer, "runs": runs}

    def _wait(self, answer: Mapping[str, Any], caller: Caller, *, quiet: bool) -> dict[str, Any]:
        """Wait until what was started has ended or stands still, and say how far it is."""
        verb, path = _find_progress(answer)
        console = Console(stderr=True, highlight=False)
        told = ""
        while True:
            progress = caller.call(verb, path)
            words = _describe(progress)
            if words != told and not quiet:
                console.print(words, end="\r" if console.is_terminal else "\n")
                told = words
            if progress["finished_at"] is not None or progress["state"] in _STOPPED:
                if console.is_terminal and not quiet:
                    console.print()
                return progress
            time.sleep(_INTERVAL)


def _add_verb(parser: argparse.ArgumentParser, verb: Verb) -> None:
    parser.set_defaults(chosen=verb)
    for name, converter in verb.parameters:
        parser.add_argument(
            f"path_{name}", metavar=name.upper(), type=_CONVERTERS.get(converter, str)
        )
    add_options(parser, verb.fields)
    parser.add_argument("--json", action="store_true", help="the answer of the API as it is")
    parser.add_argument("--as", dest="as_user", metavar="USER", help="with the rights of this user")
    parser.add_argument("--wait", action="store_true", help="wait until it has ended")


def _find_actor(name: str | None) -> Actor:
    if name is None:
        return Actor.command(find_account())
    user = User.objects.filter(username=name, is_active=True, is_staff=True).first()
    if user is None:
        raise CommandError(f"No active member of staff is called {name!r}.", returncode=BAD_REQUEST)
    return Actor.from_user(user, channel=Channel.COMMAND)


def _find_progress(answer: Mapping[str, Any]) -> tuple[Verb, dict[str, Any]]:
    for key, noun in (("operation_id", "operations"), ("run_id", "runs"), ("sync_id", "syncs")):
        if answer.get(key) is not None:
            [verb] = [v for v in list_verbs() if (v.noun, v.name) == (noun, "show")]
            [(name, converter)] = verb.parameters
            return verb, {name: _CONVERTERS[converter](str(answer[key]))}
    raise CommandError("There is nothing to wait for.", returncode=BAD_REQUEST)


def _describe(progress: Mapping[str, Any]) -> str:
    total = progress.get("total")
    if total is None:
        return str(progress["state"])
    succeeded, failed = progress.get("succeeded", 0), progress.get("failed", 0)
    return f"{progress['state']}: {succeeded:,} of {total:,} succeeded, {failed:,} failed"


def _has_succeeded(progress: Mapping[str, Any]) -> bool:
    if "runs" in progress:
        return all(map(_has_succeeded, progress["runs"]))
    if progress["state"] == "succeeded":
        return True
    fine = progress.get("succeeded", 0) + progress.get("unchanged", 0)
    return progress["state"] in {"completed", "finished"} and fine == progress.get("total")
