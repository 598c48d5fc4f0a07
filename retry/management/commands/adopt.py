"""Adopt what has already failed in other systems."""

import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser

from entries.errors import SourceError
from entries.foreign_rq import PREFIX
from entries.masking import mask_address
from entries.models import Source
from retry import service
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.management.new_source import add_source
from retry.outcomes import Actor


class Command(DeskCommand):
    help = (
        "Adopt the failed jobs of an RQ installation as entries that have failed. They are not "
        "run: retry them when you have looked. Adopting again adds what has failed since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        systems = parser.add_subparsers(dest="system", required=True, metavar="SYSTEM")
        rq = systems.add_parser("rq", help="the failed-job registries of RQ, 1.16 to 3")
        rq.add_argument(
            "--url",
            required=True,
            help="redis://… or rediss://… of the installation; - reads it from standard input, so "
            "that a password is in no list of processes",
        )
        rq.add_argument(
            "--queue",
            action="append",
            required=True,
            metavar="NAME",
            help="a queue whose failed jobs are adopted. Can be given more than once.",
        )
        rq.add_argument(
            "--prefix", default=PREFIX, help="how RQ's keys begin, if RQ_KEY_PREFIX is set there"
        )
        rq.add_argument("--source", default="rq", metavar="SLUG", help="its source (default: rq)")
        rq.add_argument("--name", default="", help="of the source, for staff (default: the slug)")
        rq.add_argument(
            "--every",
            type=int,
            metavar="SECONDS",
            help="adopt again automatically at this interval, 10 or more (default: never)",
        )

    def handle(self, *args: Any, **given: Any) -> None:
        actor = Actor.command(f"manage.py adopt ({find_account()})")
        url = sys.stdin.readline() if given["url"] == "-" else given["url"]
        source = self._find_source(given, url.strip(), actor=actor)
        try:
            outcome = service.sync_source(
                source,
                actor=actor,
                on_batch=lambda now: self.stdout.write(f"{now.done:,} of {now.total:,} read"),
            )
        except SourceError as error:
            raise CommandError(f"{source.slug}: {error} ({error.code})") from error
        report = outcome.report
        self.stdout.write(
            self.style.SUCCESS(
                f"{source.slug}: {report.created:,} failed jobs adopted, {report.unchanged:,} "
                f"known before, {report.gone:,} not among the failed any more"
            )
        )
        for note in report.notes:
            self.stdout.write(self.style.WARNING(f"{source.slug}: {note}"))

    def _find_source(self, given: dict[str, Any], url: str, *, actor: Actor) -> Source:
        """Return the source of this name, which must be the same installation, or add it."""
        slug, options = given["source"], _build_options(given)
        source = Source.objects.filter(slug=slug).first()
        if source is None:
            source = Source(
                slug=slug,
                name=given["name"] or slug,
                kind="rq_failed",
                location=url,
                options=options,
                entry_kind="rq_job",
                sync_interval=given["every"],
            )
            add_source(source, actor=actor)
            self.stdout.write(f"Added the source {slug}: {mask_address(url)}")
        elif (source.kind, source.location) != ("rq_failed", url):
            raise CommandError(
                f"The source {slug!r} reads something else: name another one with --source."
            )
        elif source.options != options:
            raise CommandError(
                f"The source {slug!r} has other queues: change them in the admin, or name another "
                "source with --source."
            )
        return source


def _build_options(given: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {"queues": sorted(set(given["queue"]))}
    return options if given["prefix"] == PREFIX else options | {"prefix": given["prefix"]}
