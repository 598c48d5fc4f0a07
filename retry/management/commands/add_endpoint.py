"""Add an endpoint for webhooks from the shell."""

import os
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from entries.endpoints import create_secret, find_address_problem, find_secret_problem
from entries.models import Endpoint
from retry import edits
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.outcomes import Actor


class Command(DeskCommand):
    help = (
        "Add an endpoint for entries of the kind webhook. A generated secret is printed once, "
        "alone on the last line."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="short name: letters, digits, hyphens, underscores")
        parser.add_argument("--url", required=True, help="the address to deliver to: https://…")
        parser.add_argument("--name", default="", help="shown to staff (default: the slug)")
        parser.add_argument(
            "--secret-env",
            metavar="NAME",
            help="environment variable that holds the secret (whsec_…); without it a secret is "
            "generated. Not an argument itself, which every process on the machine could read.",
        )
        parser.add_argument(
            "--if-missing",
            action="store_true",
            help="change nothing and succeed if the endpoint exists",
        )

    def handle(self, *args: Any, **given: Any) -> None:
        slug = given["slug"]
        if Endpoint.objects.filter(slug=slug).exists():
            if not given["if_missing"]:
                raise CommandError(f"The endpoint {slug!r} already exists.")
            self.stdout.write(f"The endpoint {slug} already exists; nothing was changed.")
            return
        variable = given["secret_env"]
        endpoint = Endpoint(
            slug=slug,
            name=given["name"],
            url=given["url"].strip(),
            secret=_read_secret(variable) if variable else create_secret(),
        )
        _validate(endpoint)
        with transaction.atomic():
            endpoint.save()
            edits.record_addition(endpoint, actor=Actor.command(find_account()))
        self.stdout.write(self.style.SUCCESS(f"Added the endpoint {slug}."))
        if not variable:
            self.stdout.write("Secret for the receiver (not shown again):")
            self.stdout.write(endpoint.secret)


def _read_secret(variable: str) -> str:
    secret = os.environ.get(variable, "").strip()
    if not secret:
        raise CommandError(f"--secret-env: {variable} is not set in the environment.")
    if problem := find_secret_problem(secret):
        raise CommandError(f"--secret-env: {problem}.")
    return secret


def _validate(endpoint: Endpoint) -> None:
    if problem := find_address_problem(endpoint.url):
        raise CommandError(f"--url: {problem}.")
    try:
        endpoint.full_clean()
    except ValidationError as error:
        problems = (f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise CommandError("; ".join(problems)) from error
