"""Add an endpoint for webhooks from the shell."""

import getpass
import os
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from entries.endpoints import create_secret, find_address_problem, find_secret_problem
from entries.models import Endpoint
from retry import edits
from retry.outcomes import Actor


class Command(BaseCommand):
    help = (
        "Add an endpoint for entries of the kind webhook. A secret that is made is written once, "
        "alone on the last line, and never again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="short name: letters, digits, hyphens, underscores")
        parser.add_argument("--url", required=True, help="where to deliver: https://…")
        parser.add_argument("--name", default="", help="what staff see; the slug if not given")
        parser.add_argument(
            "--secret-env",
            metavar="NAME",
            help="the environment variable that holds the secret (whsec_…); without it one is "
            "made. Not an argument itself: all of the machine could read it.",
        )
        parser.add_argument(
            "--if-missing",
            action="store_true",
            help="succeed without a change where there is an endpoint of that name",
        )

    def handle(self, *args: Any, **given: Any) -> None:
        slug = given["slug"]
        if Endpoint.objects.filter(slug=slug).exists():
            if not given["if_missing"]:
                raise CommandError(f"There is an endpoint {slug!r} already.")
            self.stdout.write(f"There is an endpoint {slug} already; nothing was changed.")
            return
        variable = given["secret_env"]
        endpoint = Endpoint(
            slug=slug,
            name=given["name"],
            url=given["url"].strip(),
            secret=_secret_in(variable) if variable else create_secret(),
        )
        _validate(endpoint)
        with transaction.atomic():
            endpoint.save()
            edits.record_addition(endpoint, actor=Actor.command(getpass.getuser()))
        self.stdout.write(self.style.SUCCESS(f"Added the endpoint {slug}."))
        if not variable:
            self.stdout.write("Its secret, for the receiver; it is not shown again:")
            self.stdout.write(endpoint.secret)


def _secret_in(variable: str) -> str:
    secret = os.environ.get(variable, "").strip()
    if not secret:
        raise CommandError(f"--secret-env: there is no {variable} in the environment.")
    if problem := find_secret_problem(secret):
        raise CommandError(f"--secret-env: {problem}.")
    return secret


def _validate(endpoint: Endpoint) -> None:
    if problem := find_address_problem(endpoint.url):
        raise CommandError(f"--url: {problem}.")
    try:
        endpoint.full_clean()
    except ValidationError as error:
        words = (f"{name}: {' '.join(told)}" for name, told in error.message_dict.items())
        raise CommandError("; ".join(words)) from error
