"""What ``make bench`` measures a single retry against is answered as the retry is."""

import pytest
from django.test import override_settings

from bench import single_retry
from entries.models import Entry
from entries.states import EntryStatus
from tests.factories.entries import EntryFactory


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", ["/admin/api/retry", "/bench/floor"])
def test_both_queue_the_entry(address: str) -> None:
    entry = EntryFactory.create(failed=True)
    with override_settings(ROOT_URLCONF="bench.floor"):
        single_retry.post(single_retry.log_in(), address, entry.pk)
    assert Entry.objects.get().status == EntryStatus.QUEUED
