"""``manage.py create_token USER --name NAME``: a token for scripts."""

import argparse
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.utils import timezone

from retry import service
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.outcomes import Actor

_CENTURY = 36_500


class Command(DeskCommand):
    help = (
        "Create a token with which scripts act as USER, and print it once. A token with the same "
        "name is replaced. Send it as `Authorization: Bearer TOKEN`."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument("--name", required=True, type=_parse_name, help="what the token is for")
        parser.add_argument(
            "--days", type=_parse_days, help="days until it expires (default: never)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        model = get_user_model()
        user = model.objects.filter(**{model.USERNAME_FIELD: options["user"]}).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        days = options["days"]
        token = service.create_token(
            user,
            name=options["name"],
            actor=Actor.command(find_account()),
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
        if not (user.is_staff and user.is_active):
            # To standard error, so that a script that captures the output gets the token alone.
            self.stderr.write(f"{options['user']} must be active and staff before the token works.")
        self.stdout.write(token)


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
