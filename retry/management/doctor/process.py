"""Judges this process and its settings: versions, limits, secrets, files."""

import os
import resource
import shutil
import sys
from collections.abc import Iterator

import django
from django.conf import settings
from django.contrib.staticfiles.storage import ManifestFilesMixin
from django.core import checks
from django.core.files.storage import storages
from django.utils.module_loading import import_string

from entries.sources.files import uploads
from retry.management.doctor.diagnosis import Diagnosis, fail, ok, warn

_OLDEST_PYTHON = (3, 11)
_OLDEST_DJANGO = (5, 2)
#: A worker keeps up to 200 connections open, and has up to 256 entries under way.
_FEWEST_FILES = 1024
_SHORTEST_TOKEN = 32
_LEAST_BYTES = 1_000_000_000
#: What Redrive's settings say to some of Django's checks.
_HTTPS = "Set HTTPS=true, and put something in front that speaks TLS."
_ADVICE = {
    "security.W004": _HTTPS,
    "security.W008": _HTTPS,
    "security.W009": "Set SECRET_KEY to 50 random characters or more, and keep it.",
    "security.W012": _HTTPS,
    "security.W016": _HTTPS,
    "security.W018": "Set DEBUG=false.",
    "security.W020": "Set ALLOWED_HOSTS to the names under which people open the site.",
}
#: The secret, DEBUG and the hosts: anyone gets in.
_SERIOUS = {"security.W009", "security.W018", "security.W020"}


def judge_versions() -> Iterator[Diagnosis]:
    python = ".".join(map(str, sys.version_info[:3]))
    text = f"Python {python}, Django {django.get_version()}."
    if sys.version_info < _OLDEST_PYTHON or django.VERSION < _OLDEST_DJANGO:
        yield fail("versions", text, "Python 3.11 and Django 5.2 are the oldest that work.")
    else:
        yield ok("versions", text)


def judge_limits(soft: int | None = None) -> Iterator[Diagnosis]:
    """``soft``: the limit on open files, this process's own unless given."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0] if soft is None else soft
    text = f"This process may open {soft:,} files." if soft >= 0 else "Any number of open files."
    if 0 <= soft < _FEWEST_FILES:
        advice = f"Set LimitNOFILE={4 * _FEWEST_FILES} in the unit, or ulimit -n, for workers."
        yield fail("limits.files", text, advice)
    else:
        yield ok("limits.files", text)


def judge_settings() -> Iterator[Diagnosis]:
    """Django's own checks, those of a deployment among them, and ours."""
    found = checks.run_checks(include_deployment_checks=True)
    serious = [message for message in found if not message.is_silenced()]
    for message in serious:
        judge = fail if message.level >= checks.ERROR or message.id in _SERIOUS else warn
        advice = _ADVICE.get(message.id or "", message.hint) or "See `manage.py check --deploy`."
        yield judge(f"settings.{message.id}", str(message.msg), str(advice))
    if not serious:
        yield ok("settings.checks", "Django's checks of a deployment find nothing.")
    token = settings.REDRIVE_METRICS_TOKEN
    if token and len(token) < _SHORTEST_TOKEN:
        yield fail(
            "settings.metrics_token",
            f"REDRIVE_METRICS_TOKEN has {len(token)} characters.",
            f"Choose {_SHORTEST_TOKEN} random ones or more.",
        )


def judge_static_files() -> Iterator[Diagnosis]:
    backend = settings.STORAGES["staticfiles"]["BACKEND"]
    hashes = issubclass(import_string(backend), ManifestFilesMixin)
    if hashes and not storages["staticfiles"].hashed_files:  # type: ignore[attr-defined] # a manifest's
        yield fail(
            "static_files",
            f"There are no static files in {settings.STATIC_ROOT}; pages cannot be shown.",
            "Run manage.py collectstatic --noinput.",
        )
    else:
        yield ok("static_files", "Static files are in place.")


def judge_uploads() -> Iterator[Diagnosis]:
    folder = uploads.find_folder()
    place = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        yield fail(
            "uploads",
            f"This process may not write to {place}.",
            "Give the folder to the user of the processes, or set REDRIVE_UPLOAD_DIR.",
        )
        return
    free = shutil.disk_usage(place).free
    text = f"{free / 1e9:.1f} GB are free for uploads in {folder}."
    if free < _LEAST_BYTES:
        yield warn("uploads", text, "Free some space, or set REDRIVE_UPLOAD_DIR.")
    else:
        yield ok("uploads", text)
