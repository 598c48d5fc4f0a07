"""``manage.py approve``: approve an operation that awaits it, or reject it."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from retry import service
from retry.errors import RetryError
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.outcomes import Actor


class Command(DeskCommand):
    help = (
        "Approve an operation that awaits approval, so that exactly what it has selected starts; "
        "with --reject it is cancelled. Who requested it cannot do either."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("operation", type=UUID, help="the id of the operation")
        parser.add_argument("--reject", action="store_true", help="cancel it instead")
        parser.add_argument("--reason", default="", help="recorded with the decision")

    def handle(self, *args: Any, **given: Any) -> None:
        decide = service.reject_operation if given["reject"] else service.approve_operation
        actor = Actor.command(find_account())
        try:
            operation = decide(given["operation"], actor=actor, reason=given["reason"])
        except RetryError as error:
            raise CommandError(str(error)) from error
        done = "rejected" if given["reject"] else "approved"
        self.stdout.write(f"Operation {operation.pk} on {operation.total:,} entries: {done}.")
