"""Add a source from the shell."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from entries.kinds import registry as kinds
from entries.models import Source
from entries.sources import registry as sources
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.management.new_source import add_source
from retry.outcomes import Actor


class Command(DeskCommand):
    help = "Add a source of entries. Sync it afterwards with: manage.py sync SLUG"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="short name: letters, digits, hyphens, underscores")
        parser.add_argument(
            "--kind", default="feed", help=f"kind of source: {_join(sources.names())}"
        )
        parser.add_argument("--location", required=True, help="address, such as https://…")
        parser.add_argument("--name", default="", help="shown to staff (default: the slug)")
        parser.add_argument(
            "--entry-kind",
            default="page",
            help=f"how its entries are processed: {_join(kinds.names())} (default: page)",
        )
        parser.add_argument(
            "--option",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="an option of the kind of source; VALUE is parsed as JSON if it is JSON. "
            "Can be given more than once.",
        )
        parser.add_argument(
            "--every",
            type=int,
            metavar="SECONDS",
            help="sync automatically at this interval, 10 or more (default: never)",
        )
        parser.add_argument(
            "--if-missing",
            action="store_true",
            help="change nothing and succeed if the source exists",
        )

    def handle(self, *args: Any, **given: Any) -> None:
        if Source.objects.filter(slug=given["slug"]).exists():
            if not given["if_missing"]:
                raise CommandError(f"The source {given['slug']!r} already exists.")
            self.stdout.write(f"The source {given['slug']} already exists; nothing was changed.")
            return
        source = Source(
            slug=given["slug"],
            name=given["name"] or given["slug"],
            kind=given["kind"],
            location=given["location"].strip(),
            options=dict(map(_parse_option, given["option"])),
            entry_kind=given["entry_kind"],
            sync_interval=given["every"],
        )
        add_source(source, actor=Actor.command(find_account()))
        self.stdout.write(self.style.SUCCESS(f"Added the source {source.slug}."))


def _parse_option(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise CommandError(f"--option {text!r}: write it as KEY=VALUE.")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _join(names: list[str]) -> str:
    return " or ".join(names) or "none is registered"
