"""``manage.py doctor``: check a deployment."""

import argparse
import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from retry.management.command import DeskCommand
from retry.management.doctor.checkup import examine
from retry.management.doctor.findings import Level

_WIDTH = len(Level.PROBLEM) + 2


class Command(DeskCommand):
    # It runs all of them itself, and says what is wrong with the rest as well.
    requires_system_checks = []  # type: ignore[assignment] # the base has one tag
    help = (
        "Check a deployment and say what to do: stores, clocks, connections, permissions, "
        "processes, secrets, files. Changes nothing. Exit code 1 where there is a problem."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(examine())
        counts = Counter(finding.level for finding in findings)
        if options["json"]:
            answer = {
                "ok": not counts[Level.PROBLEM],
                "findings": [asdict(finding) for finding in findings],
            }
            self.stdout.write(json.dumps(answer, indent=2))
        else:
            for finding in findings:
                self.stdout.write(f"{finding.level.value:{_WIDTH}}{finding.text}")
                if finding.advice:
                    self.stdout.write(f"{'':{_WIDTH}}{finding.advice}")
        if problems := counts[Level.PROBLEM]:
            noun = "problem" if problems == 1 else "problems"
            raise CommandError(f"{problems} {noun}.", returncode=1)
