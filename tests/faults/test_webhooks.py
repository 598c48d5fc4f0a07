"""Webhooks to a receiver that fails, by workers that die: all arrive, repeated under one key."""

import pytest

from entries.models import Entry
from tests.support.deliveries import deliver

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_payload_arrives_and_every_repetition_can_be_known() -> None:
    story = deliver(300, kills=4, seconds=120)
    story.check()
    assert story.kills == 4
    assert story.lost > 0, "a worker died in the middle of a delivery"
    assert story.repeats > 0
    assert Entry.objects.filter(status="succeeded").count() == 300
