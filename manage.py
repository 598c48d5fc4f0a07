#!/usr/bin/env python
import gc
import os
import sys

from django.core.management import BaseCommand, ManagementUtility


class Utility(ManagementUtility):
    """Collects no garbage while everything is imported: there is none, and looking costs a tenth.

    What is there by then stays, so it is never looked at again: not here, and not in a fork.
    """

    def fetch_command(self, subcommand: str) -> BaseCommand:
        command = super().fetch_command(subcommand)
        gc.freeze()
        gc.enable()
        return command


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    gc.disable()
    Utility(sys.argv).execute()
