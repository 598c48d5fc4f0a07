"""A new project adopts Redrive as docs/adopting.md says, from the wheel alone."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from tests.laws.tree import ROOT

PAGE = (ROOT / "docs" / "adopting.md").read_text()
_STORES = """
DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", "NAME": {name!r},
    "HOST": {host!r}, "PORT": {port!r}, "USER": {user!r}, "PASSWORD": {password!r}}}}}
REDIS_URL = {redis!r}
ALLOWED_HOSTS = ["testserver"]
"""
#: What somebody sees and presses in the admin, each step once what came before is done.
_LOOK = """
import entries, retry
assert entries.__file__.startswith({site!r}) and retry.__file__.startswith({site!r})
from django.test import Client
from django.contrib.auth.models import User
from entries.models import Entry
[entry] = Entry.objects.all()
browser = Client(raise_request_exception=True)
browser.force_login(User.objects.get())
def read(url):
    answer = browser.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return answer.content.decode()
page = f"/admin/entries/entry/{{entry.pk}}/change/"
"""
_FAILED = """
assert entry.status == "failed", entry.status
assert "The desk" in read("/admin/") and "Site administration" in read("/admin/")
assert "FileNotFoundError" in read("/admin/retry/front/")
assert "FileNotFoundError" in read(page) and "redrive/desk.css" in read(page)
assert "redrive/desk.css" not in read("/admin/auth/user/")
for model in ("entries/entry", "entries/source", "retry/operation", "retry/errorgroup"):
    read(f"/admin/{model}/")
read("/admin/retry/status/")
answer = browser.get("/admin/api/status")
assert answer.status_code == 200 and answer.json(), answer
assert browser.get("/admin/api/nowhere").status_code == 404
assert browser.post(f"/admin/entries/entry/{entry.pk}/retry/").status_code == 302
"""
#: Several commands for one start of Python.
_BEGIN = """
from django.core.management import execute_from_command_line as run
run(["django-admin", "startproject", "shop", "."])
run(["django-admin", "startapp", "billing"])
"""
_MIGRATE = """
from django.core.management import call_command
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0, skip_checks=True)
call_command("createsuperuser", username="anna", email="", interactive=False)
"""


def find_block(heading: str) -> str:
    """Return the first block of code of the page after a line that has ``heading``."""
    _, found, rest = PAGE.partition(heading)
    assert found, heading
    return re.split(r"^```\w*$", rest, maxsplit=2, flags=re.MULTILINE)[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs."""
    folder = tmp_path_factory.mktemp("adopting")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = (folder / "dist").iterdir()
    installed = folder / "site"
    pip = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", installed, wheel], check=True)
    names = {name.split("/")[0] for name in ZipFile(wheel).namelist()}
    assert {n for n in names if "." not in n} == {"entries", "retry", "redrive_client"}
    return installed


@pytest.fixture
def database() -> Iterator[psycopg.Connection]:
    """A connection to an empty database beside the test's own."""
    name = f"{connection.settings_dict['NAME']}_adopting"
    given = connection.get_connection_params()
    options = {key: given[key] for key in ("host", "port", "user", "password") if given.get(key)}
    with psycopg.connect(dbname="postgres", autocommit=True, **options) as server:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        server.execute(drop)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with psycopg.connect(dbname=name, autocommit=True, **options) as opened:
            yield opened
        server.execute(drop)


class Project:
    """A project with nothing but what the page says, and Django's own files."""

    def __init__(self, folder: Path, *, site: Path, database: str) -> None:
        self.folder = folder
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        self._environment = kept | {"PYTHONPATH": str(site), "DJANGO_SUPERUSER_PASSWORD": "secret"}
        self.run("-c", _BEGIN)
        given = connection.settings_dict
        stores = _STORES.format(
            name=database,
            host=given["HOST"] or given["OPTIONS"].get("host", ""),
            port=given["PORT"],
            user=given["USER"],
            password=given["PASSWORD"],
            redis=settings.REDIS_URL,
        )
        self.add_settings(find_block("At the end of `shop/settings.py`") + stores)
        (folder / "shop" / "urls.py").write_text(find_block("`shop/urls.py`"))
        (folder / "billing" / "kinds.py").write_text(find_block("`billing/kinds.py`"))

    def add_settings(self, lines: str) -> None:
        with (self.folder / "shop" / "settings.py").open("a") as file:
            file.write(lines)

    def run(self, *args: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error::DeprecationWarning:billing", *args],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{args[:2]}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def manage(self, *args: str) -> str:
        return self.run("manage.py", *args)


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(600)
def test_a_new_project_retries_its_first_failure(
    tmp_path: Path, site: Path, database: psycopg.Connection
) -> None:
    project = Project(tmp_path, site=site, database=database.info.dbname)
    push = find_block("here from `python manage.py shell`")
    tick = 'call_command("dispatcher", once=True)'
    project.manage("shell", "-c", _MIGRATE + push + tick)
    project.manage("worker", "bulk", "--burst")
    project.manage("shell", "-c", _LOOK.format(site=str(site)) + _FAILED)
    (tmp_path / "outbox").mkdir()
    project.add_settings(find_block("Worth having in production"))
    project.manage("worker", "default", "--burst")
    assert (tmp_path / "outbox" / "17").read_text() == "Invoice 17"
    assert database.execute("SELECT status FROM entries_entry").fetchall() == [("succeeded",)]
