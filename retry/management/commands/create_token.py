"""``manage.py create_token USER --name NAME``: a token for scripts."""

import argparse
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from retry import tokens


class Command(BaseCommand):
    help = (
        "Make a token with which a script acts as USER, and print it once. A token of the same "
        "name is replaced. Use it as `Authorization: Bearer TOKEN`."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("user", help="user name")
        parser.add_argument("--name", required=True, help="what the token is for")
        parser.add_argument("--days", type=int, help="days until it expires (default: never)")

    def handle(self, *args: Any, **options: Any) -> None:
        model = get_user_model()
        user = model.objects.filter(**{model.USERNAME_FIELD: options["user"]}).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        if options["days"] is not None and options["days"] < 1:
            raise CommandError("--days must be 1 or more.")
        expires_at = timezone.now() + timedelta(days=options["days"]) if options["days"] else None
        self.stdout.write(tokens.create(user, name=options["name"], expires_at=expires_at))
