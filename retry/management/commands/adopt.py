"""Adopt what has already failed in other systems."""

import argparse
from typing import Any

from django.core.management.base import CommandError, CommandParser

from entries.errors import SourceError
from entries.masking import mask_address
from entries.models import Source
from retry import service
from retry.management.account import find_account
from retry.management.adoption import SYSTEMS, System
from retry.management.command import DeskCommand
from retry.management.new_source import add_source
from retry.outcomes import Actor


class Command(DeskCommand):
    help = (
        "Adopt what has failed in an RQ or a Celery installation as entries that have failed. "
        "They are not run: retry them when you have looked. Adopting again adds what has failed "
        "since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        systems = parser.add_subparsers(dest="system", required=True, metavar="SYSTEM")
        for name, system in SYSTEMS.items():
            own = systems.add_parser(
                name,
                help=system.help,
                epilog=system.examples,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
            system.add_arguments(own)
            own.add_argument(
                "--source", default=name, metavar="SLUG", help="its source (default: %(default)s)"
            )
            own.add_argument("--name", default="", help="of the source, for staff (default: SLUG)")
            own.add_argument(
                "--every",
                type=int,
                metavar="SECONDS",
                help="adopt again automatically at this interval, 10 or more (default: never)",
            )

    def handle(self, *args: Any, **given: Any) -> None:
        actor = Actor.command(f"manage.py adopt ({find_account()})")
        system = SYSTEMS[given["system"]]
        source = self._find_source(system, given, actor=actor)
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
                f"{source.slug}: {report.created:,} failed {system.noun} adopted, "
                f"{report.unchanged:,} known before, {report.gone:,} not among the failed any more"
            )
        )
        for note in report.notes:
            self.stdout.write(self.style.WARNING(f"{source.slug}: {note}"))

    def _find_source(self, system: System, given: dict[str, Any], *, actor: Actor) -> Source:
        """Return the source of this name, which must be the same installation, or add it."""
        slug = given["source"]
        url, options = system.read_place(given)
        source = Source.objects.filter(slug=slug).first()
        if source is None:
            source = Source(
                slug=slug,
                name=given["name"] or slug,
                kind=system.source_kind,
                location=url,
                options=options,
                entry_kind=system.entry_kind,
                sync_interval=given["every"],
            )
            add_source(source, actor=actor)
            self.stdout.write(f"Added the source {slug}: {mask_address(url)}")
        elif (source.kind, source.location) != (system.source_kind, url):
            raise CommandError(
                f"The source {slug!r} reads something else: name another one with --source."
            )
        elif source.options != options:
            raise CommandError(
                f"The source {slug!r} has other queues: change them in the admin, or name another "
                "source with --source."
            )
        return source
