"""``manage.py create_token USER --name NAME``: a token for scripts."""

import argparse
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.utils import timezone

from entries import names
from entries.models import Source
from retry import service
from retry.access.scopes import SCOPES
from retry.access.tokens import Terms
from retry.errors import RetryError
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.outcomes import Actor

_CENTURY = 36_500


class Command(DeskCommand):
    help = (
        "Create a token with which scripts act as USER, and print it once. A token with the same "
        "name is replaced. Send it as `Authorization: Bearer TOKEN`. "
        "Example: create_token alice --name nightly --scopes retry,read --sources news --days 90"
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument("--name", required=True, type=_parse_name, help="what the token is for")
        parser.add_argument(
            "--days", type=_parse_days, help="days until it expires (default: never)"
        )
        parser.add_argument(
            "--scopes",
            type=_parse_names,
            metavar="A,B",
            help=f"what it may do (default: all that USER may): {', '.join(SCOPES)}",
        )
        parser.add_argument(
            "--sources",
            type=_parse_names,
            metavar="A,B",
            help="slugs of the only sources with whose entries it may do so (default: all)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        model = get_user_model()
        user = model.objects.filter(**{model.USERNAME_FIELD: options["user"]}).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        try:
            token = service.create_token(
                user,
                name=options["name"],
                actor=Actor.command(find_account()),
                terms=_build_terms(options),
            )
        except RetryError as error:
            raise CommandError(str(error)) from error
        if not (user.is_staff and user.is_active):
            # To standard error, so that a script that captures the output gets the token alone.
            self.stderr.write(f"{options['user']} must be active and staff before the token works.")
        self.stdout.write(token)


def _build_terms(options: dict[str, Any]) -> Terms:
    """Raise ``CommandError`` for a source that is not there."""
    days, slugs = options["days"], options["sources"]
    ids = None
    if slugs is not None:
        found = dict(Source.objects.filter(slug__in=slugs).values_list("slug", "pk"))
        if missing := sorted(slugs - found.keys()):
            known = ", ".join(names.list_sources())
            raise CommandError(f"There is no source {missing[0]!r}. There are: {known}.")
        ids = frozenset(found.values())
    return Terms(
        scopes=options["scopes"],
        source_ids=ids,
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )


def _parse_names(given: str) -> frozenset[str]:
    found = frozenset(name.strip() for name in given.split(",") if name.strip())
    if not found or "\0" in given:
        raise argparse.ArgumentTypeError("must be names, separated by commas")
    return found


def _parse_name(given: str) -> str:
    name = given.strip()
    if not 1 <= len(name) <= 100:
        raise argparse.ArgumentTypeError("must have 1 to 100 characters")
    return name


def _parse_days(given: str) -> int:
    try:
        days = int(given)
    except ValueError:
        days = 0
    if not 1 <= days <= _CENTURY:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {_CENTURY:,}")
    return days
