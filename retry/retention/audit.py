"""The only statement that deletes audit events; the database refuses every other one."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from entries.sql import load
from retry.models import LEAST_AUDIT_DAYS
from retry.retention.records import REPORTS

_SQL = load(__file__, include=REPORTS)


def remove_events(params: Mapping[str, Any]) -> tuple[Any, ...]:
    """Delete one batch of old events and return its report, as the other statements do.

    Never deletes one that is younger than the database allows.
    """
    least = timezone.now() - timedelta(days=LEAST_AUDIT_DAYS, minutes=1)
    given = {**params, "cutoff": min(params["cutoff"], least)}
    with transaction.atomic(), connection.cursor() as cursor:
        if not given["dry"]:
            cursor.execute(_SQL["allow"])
        cursor.execute(_SQL["remove_events"], given)
        found: tuple[Any, ...] = cursor.fetchone()
        cursor.execute(_SQL["forbid"])
    return found
