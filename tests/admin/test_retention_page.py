"""The status page says what is kept how long, and what was and will be deleted."""

from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.utils import timezone

from retry.models import RetentionPass
from tests.admin.browsing import Browser, text_of

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db
STATUS = "/admin/retry/status/"


def test_it_says_what_is_kept_how_long(at_desk: Browser, settings: "Settings") -> None:
    cache.clear()
    settings.REDRIVE_KEEP_RUNS_DAYS, settings.REDRIVE_PRUNE = 1, False
    RetentionPass.objects.create(name="runs", ended_at=timezone.now(), last_removed=4711)
    words = text_of(at_desk.read(STATUS))
    row = words.partition("runs without an operation")[2]
    assert row.startswith(" 1 day 4,711, "), row[:80]
    assert "failed entries forever — —" in words
    assert "manage.py prune does" in words
