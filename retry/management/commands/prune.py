"""``manage.py prune``: delete now what is no longer kept."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from rich.console import Console

from retry import service
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.outcomes import Actor
from retry.retention.overview import count_due
from retry.retention.rules import RULES, Rule
from retry.retention.steps import Batch

HELP = """\
Delete what is older than the settings REDRIVE_KEEP_… say, in small batches. The dispatcher does the
same by itself, slowly; this does it at once and without pauses. It can be interrupted and repeated.

examples:
  manage.py prune --dry-run
  manage.py prune
  manage.py prune --only attempts --only tracebacks
  manage.py prune --json

exit codes:
  0  done
  1  something could not be deleted; the rest was
  2  what was asked is wrong, such as an unknown name"""


class Command(DeskCommand):
    help = "Delete what is older than the settings REDRIVE_KEEP_… say."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.description = HELP
        parser.add_argument(
            "--only",
            action="append",
            choices=list(RULES),
            metavar="NAME",
            help=f"only this, can be given again; of: {', '.join(RULES)}",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="count what would be deleted, delete nothing"
        )
        parser.add_argument("--json", action="store_true", help="write one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        rules = [rule for name, rule in RULES.items() if name in (options["only"] or RULES)]
        found, failed = self._prune(rules, dry_run=options["dry_run"])
        if options["json"]:
            answer = {"dry_run": options["dry_run"], "rows": found, "failed": failed}
            self.stdout.write(json.dumps(answer))
        else:
            self._report(found, dry_run=options["dry_run"])
        if failed:
            raise CommandError(f"Could not delete: {', '.join(failed)}.")

    def _prune(self, rules: Sequence[Rule], *, dry_run: bool) -> tuple[dict[str, int], list[str]]:
        actor = Actor.command(f"manage.py prune ({find_account()})")
        found: dict[str, int] = {}
        failed: list[str] = []
        for rule in rules:
            with self._progress(rule) as note:
                try:
                    if dry_run:
                        found[rule.name] = count_due(rule)
                    else:
                        found[rule.name] = service.prune(rule.name, actor=actor, on_batch=note)
                except (DatabaseError, OSError) as error:
                    failed.append(rule.name)
                    self.stderr.write(self.style.ERROR(f"{rule.name}: {str(error).strip()}"))
        return found, failed

    @contextmanager
    def _progress(self, rule: Rule) -> Iterator[Callable[[Batch], None]]:
        """Show on a terminal what is at work, and how much is deleted; elsewhere nothing."""
        console, removed = Console(stderr=True), 0
        with console.status(rule.name) as status:

            def note(batch: Batch) -> None:
                nonlocal removed
                removed += batch.removed
                status.update(f"{rule.name}: {removed:,} deleted")

            yield note

    def _report(self, found: dict[str, int], *, dry_run: bool) -> None:
        for name, number in found.items():
            keep = RULES[name].keep
            kept = "kept forever" if keep is None else f"kept for {keep.days} days"
            if RULES[name].days is None:
                kept = "until they expire"
            verb = "would be deleted" if dry_run else "deleted"
            self.stdout.write(f"{name}: {number:,} {verb} ({kept})")
