"""What the commands have in common."""

from typing import Any, ClassVar

from django.core.management.base import BaseCommand
from django.utils import translation

from entries.registry import WORK
from entries.request_ids import bound_id, choose_id


class DeskCommand(BaseCommand):
    """Checks what the work needs, and no pages: to import those takes as long as the rest.

    It speaks English whatever language the desk has: scripts read what it says.
    """

    requires_system_checks = (WORK,)
    #: Whether it does one thing and ends, and so has an id as a request has. Processes do much.
    has_id: ClassVar[bool] = True

    def execute(self, *args: Any, **options: Any) -> str | None:
        with translation.override(None), bound_id(choose_id("") if self.has_id else ""):
            return super().execute(*args, **options)
