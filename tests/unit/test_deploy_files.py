"""The files of ``deploy/`` start what there is, with settings that there are."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from tests.laws.tree import ROOT

DEPLOY = ROOT / "deploy"
QUEUES = {"default", "bulk", "sync"}
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
_WORKER = re.compile(r"worker[ ,]+(\w+)")
_COMMAND = re.compile(r"manage\.py[ ,]+(\w+)")
_SETTING = re.compile(r"^# (?=[A-Z_]+=)|^(?=[A-Z_]+=)", re.MULTILINE)


def read_commands(text: str) -> set[str]:
    return set(_COMMAND.findall(text))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_commands_exist(path: Path) -> None:
    assert read_commands(path.read_text()) <= get_commands().keys()


@pytest.mark.parametrize("folder", ["compose.yaml", "kubernetes", "systemd"])
def test_every_process_is_started(folder: str) -> None:
    place = DEPLOY / folder
    files = [place] if place.is_file() else [path for path in FILES if place in path.parents]
    text = "\n".join(path.read_text() for path in files).replace("worker@", "worker ")
    assert read_commands(text) >= {"worker", "dispatcher"}
    assert set(_WORKER.findall(text)) >= QUEUES
    assert "gunicorn" in text or "build: {context: ..}" in text


def read_names(values: Any) -> set[str]:
    return {value.partition("=")[0] for value in values}


def test_settings_are_known() -> None:
    lines = _SETTING.sub("", (ROOT / ".env.example").read_text()).splitlines()
    known = read_names(line for line in lines if "=" in line)
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    (generated,) = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())[
        "configMapGenerator"
    ]
    assert set(compose["x-redrive"]["environment"]) <= known
    assert read_names(generated["literals"]) <= known


def read_grace(service: dict[str, Any]) -> int:
    return int(str(service.get("stop_grace_period", "10s")).removesuffix("s"))


def test_web_may_answer_what_it_has_received() -> None:
    """What stops it waits longer than it takes; without a word compose waits 10 seconds."""
    answers = runpy.run_path(str(ROOT / "config" / "gunicorn.py"))["graceful_timeout"]
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    web = next(yaml.safe_load_all((DEPLOY / "kubernetes" / "web.yaml").read_text()))
    pod = web["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    waits = int(container["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert read_grace(compose["services"]["web"]) > answers
    assert pod["terminationGracePeriodSeconds"] > answers + waits
    (seconds,) = read_unit("redrive-web.service", "TimeoutStopSec")
    assert int(seconds) > answers


def read_unit(name: str, key: str) -> list[str]:
    text = (DEPLOY / "systemd" / name).read_text()
    (value,) = re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)
    return str(value).split()


@pytest.mark.parametrize(
    "path", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda path: path.name
)
def test_units_stop_before_what_they_need(path: Path) -> None:
    """systemd stops in the reverse of ``After``; a store of another name is stopped first."""
    stores = {"postgresql.service", "redis-server.service", "valkey-server.service"}
    assert stores <= set(read_unit(path.name, "After"))
