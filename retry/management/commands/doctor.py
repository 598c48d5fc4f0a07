"""``manage.py doctor``: check a deployment."""

import argparse
import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from retry.management.command import DeskCommand
from retry.management.doctor.checkup import examine
from retry.management.doctor.diagnosis import Level

_WIDTH = len(Level.PROBLEM) + 2


class Command(DeskCommand):
    # It runs all of them itself, and says what is wrong with the rest as well.
    requires_system_checks: Any = []
    help = (
        "Check a deployment and say what to do: stores, clocks, connections, permissions, "
        "processes, secrets, files. Changes nothing. Exit code 1 where there is a problem."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the diagnoses as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        diagnoses = list(examine())
        counts = Counter(diagnosis.level for diagnosis in diagnoses)
        if options["json"]:
            answer = {
                "ok": not counts[Level.PROBLEM],
                "diagnoses": [asdict(diagnosis) for diagnosis in diagnoses],
            }
            self.stdout.write(json.dumps(answer, indent=2))
        else:
            for diagnosis in diagnoses:
                self.stdout.write(f"{diagnosis.level.value:{_WIDTH}}{diagnosis.text}")
                if diagnosis.advice:
                    self.stdout.write(f"{'':{_WIDTH}}{diagnosis.advice}")
        if problems := counts[Level.PROBLEM]:
            noun = "problem" if problems == 1 else "problems"
            raise CommandError(f"{problems} {noun}.", returncode=1)
