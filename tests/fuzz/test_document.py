"""Requests made from our own document: no 5xx, and no answer that is not in it.

schemathesis makes them, valid and invalid, one by one and in sequences that use what was answered.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission

from retry.access import tokens
from retry.outcomes import Actor
from tests.admin.walking import populate
from tests.api.server import web_server
from tests.fuzz.values import SEED, amount
from tools.openapi.document import PLACE

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
_CONFIG = Path(__file__).with_name("schemathesis.toml")
#: What one example of each call comes to at least, with the sequences.
_REQUESTS_FOR_AN_EXAMPLE = 50
_UNLIMITED = {
    "REDRIVE_API_TOKEN_RATE": "1000000000",
    "REDRIVE_API_ADDRESS_RATE": "1000000000",
    "LOG_LEVEL": "WARNING",
}


def test_no_answer_is_a_5xx_or_outside_of_the_document(operator: "User", tmp_path: Path) -> None:
    operator.user_permissions.set(Permission.objects.all())
    token = tokens.create(operator, name="fuzz", actor=Actor.command("test"))
    populate()
    examples = max(1, amount(200) // _REQUESTS_FOR_AN_EXAMPLE)
    with web_server(**_UNLIMITED) as web:
        command = [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIG),
            "run", str(PLACE),
            "--url", f"{web.url}/admin/api",
            "--header", f"Authorization: Bearer {token}",
            "--checks", ",".join(_CHECKS),
            "--phases", "fuzzing,stateful",
            "--max-examples", str(examples),
            "--seed", str(SEED),
            "--request-timeout", "30",
            "--suppress-health-check", "all",
            "--warnings", "off",
            "--no-color",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"(\d+) generated", done.stdout)
    assert found
    assert int(found[1]) >= amount(200), done.stdout
