"""Sync sources from the shell."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, cast

from django.core.management.base import CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from entries.errors import SourceError
from entries.models import Source
from entries.sources.sync.report import SyncProgress
from retry import service
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.outcomes import Actor, SyncOutcome

OnBatch = Callable[[SyncProgress], None]


class Command(DeskCommand):
    help = (
        "Fetch sources, store new and changed entries, mark missing ones as gone, and queue the "
        "new ones. Exits with an error if a source could not be read completely; what was stored "
        "before that is kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="*", help="the sources to sync")
        parser.add_argument("--all", action="store_true", help="sync every enabled source")
        parser.add_argument(
            "--no-submit", action="store_true", help="store new entries without queueing them"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would change, change nothing"
        )

    def handle(self, *args: Any, **given: Any) -> None:
        actor = Actor.command(f"manage.py sync ({find_account()})")
        submit, dry_run = not given["no_submit"], given["dry_run"]
        failed = []
        for source in _find_sources(given["slug"], everything=given["all"]):
            try:
                with self._progress(source.slug, "compared" if dry_run else "stored") as on_batch:
                    outcome = service.sync_source(
                        source, actor=actor, submit=submit, dry_run=dry_run, on_batch=on_batch
                    )
            except SourceError as error:
                failed.append(source.slug)
                self.stderr.write(self.style.ERROR(f"{source.slug}: {error} ({error.code})"))
            else:
                self._report(source.slug, outcome, submitted=submit, dry_run=dry_run)
        if failed:
            raise CommandError(f"Could not sync {', '.join(failed)}.")

    def _report(self, slug: str, outcome: SyncOutcome, *, submitted: bool, dry_run: bool) -> None:
        report = outcome.report
        if report.not_modified:
            self.stdout.write(f"{slug}: not modified since the last sync")
            return
        counts = (
            f"{report.created:,} new, {report.updated:,} changed, {report.unchanged:,} as before, "
            f"{report.gone:,} gone, {report.invalid:,} invalid"
        )
        then = f"{outcome.queued:,} queued" if submitted else "none queued (--no-submit)"
        if dry_run:
            then = "dry run, nothing was changed"
        self.stdout.write(self.style.SUCCESS(f"{slug}: {counts}; {then}"))
        for note in report.notes:
            self.stdout.write(self.style.WARNING(f"{slug}: {note}"))
        for row in report.sample:
            self.stdout.write(_format_change(row))
        if not outcome.dispatched:
            self.stdout.write(
                self.style.WARNING(
                    f"{slug}: Redis cannot be reached; the entries start when it is back"
                )
            )

    @contextmanager
    def _progress(self, slug: str, done: str) -> Iterator[OnBatch]:
        """Show a bar on a terminal, elsewhere a line for each batch."""
        if not self.stdout.isatty():
            yield lambda now: self.stdout.write(
                f"{slug}: {now.done:,} of {_format_total(now)} {done}"
            )
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        # The command's own stream ends each write with a newline, which a bar must not.
        ending, self.stdout.ending = self.stdout.ending, ""
        console = Console(file=cast("IO[str]", self.stdout), force_terminal=True)
        try:
            with Progress(*columns, console=console, transient=True) as bar:
                task = bar.add_task(slug, total=None)
                yield lambda now: bar.update(task, completed=now.done, total=now.total)
        finally:
            self.stdout.ending = ending


def _find_sources(slugs: list[str], *, everything: bool) -> list[Source]:
    if bool(slugs) == everything:
        raise CommandError("Name the sources to sync, or give --all.")
    if everything:
        return list(Source.objects.filter(enabled=True))
    found = Source.objects.in_bulk(slugs, field_name="slug")
    missing = [slug for slug in slugs if slug not in found]
    if missing:
        known = ", ".join(Source.objects.values_list("slug", flat=True)[:20]) or "none yet"
        raise CommandError(f"There is no source {', '.join(missing)}. Known sources: {known}.")
    return [found[slug] for slug in dict.fromkeys(slugs)]


def _format_total(now: SyncProgress) -> str:
    return "an unknown number" if now.total is None else f"{now.total:,}"


def _format_change(row: Mapping[str, Any]) -> str:
    """``updated page-7 Page seven (url: a -> b)``, on one line."""
    changes = ", ".join(f"{c['key']}: {c['before']} -> {c['after']}" for c in row["changes"])
    shown = f"{row['what']} {row['external_id']} {row['title']}"
    return "  " + " ".join((f"{shown} ({changes})" if changes else shown).split())
