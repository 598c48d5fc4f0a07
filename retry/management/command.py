"""What the commands have in common."""

from django.core.management.base import BaseCommand

from entries.registry import WORK


class DeskCommand(BaseCommand):
    """Checks what the work needs, and no pages: to import those takes as long as the rest."""

    requires_system_checks = (WORK,)
