"""What the commands have in common."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation

from entries.registry import WORK


class DeskCommand(BaseCommand):
    """Checks what the work needs, and no pages: to import those takes as long as the rest.

    It speaks English whatever language the desk has: scripts read what it says.
    """

    requires_system_checks = (WORK,)

    def execute(self, *args: Any, **options: Any) -> str | None:
        with translation.override(None):
            return super().execute(*args, **options)
