"""The audit is append-only, whoever asks: the database itself refuses."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

from retry import audit
from retry.models import AuditEvent
from retry.outcomes import Actor, Channel
from tests.factories.users import UserFactory
from tests.laws.tree import ROOT, files, modules

pytestmark = pytest.mark.django_db


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def by_instance(event: AuditEvent) -> None:
    event.reason = "something else"
    event.save()


WAYS: list[Callable[[AuditEvent], object]] = [
    lambda _: AuditEvent.objects.update(reason="something else"),
    lambda _: AuditEvent.objects.all().delete(),
    lambda event: event.delete(),
    by_instance,
    lambda _: sql("UPDATE retry_auditevent SET count = 7"),
    lambda _: sql("DELETE FROM retry_auditevent"),
]


@pytest.mark.parametrize("way", WAYS)
def test_an_event_can_be_neither_changed_nor_deleted(way: Callable[[AuditEvent], object]) -> None:
    audit.record("retry", actor=Actor.command("x"), count=1, reason="because")
    before = AuditEvent.objects.values().get()
    with pytest.raises(DatabaseError, match="retry_auditevent"), transaction.atomic():
        way(AuditEvent.objects.get())
    assert AuditEvent.objects.values().get() == before


def test_it_outlives_whoever_acted() -> None:
    user: User = UserFactory.create(username="alice")
    actor = Actor.from_user(user, channel=Channel.ADMIN)
    audit.record("retry", actor=actor, count=1)
    user_id = user.pk
    user.delete()
    event = AuditEvent.objects.get()
    assert (event.actor_id, event.actor_label) == (user_id, "alice")
    assert not User.objects.filter(pk=user_id).exists()


def test_one_statement_alone_may_ask_for_it() -> None:
    """``retry.retention.audit``; nothing ignores a trigger."""
    asking = re.compile(r"redrive\.audit_retention|pgtrigger\.ignore")
    paths = [*modules(), *files("sql")]
    found = {str(path) for path in paths if asking.search((ROOT / path).read_text())}
    assert found == {"retry/models/people.py", "retry/retention/audit.sql"}
