"""``manage.py subscribe``."""

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from retry.models import AuditEvent, Subscription
from retry.notices.recording import SUBSCRIBABLE
from tests.factories.entries import EndpointFactory
from tests.factories.users import UserFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


def run(*args: str) -> str:
    out = StringIO()
    call_command("subscribe", *args, stdout=out)
    return out.getvalue()


def test_it_subscribes_for_all_lists_and_ends() -> None:
    EndpointFactory.create(slug="chat")
    assert "mail to ops@example.com for all: group_new" in run(
        "group_new", "--mail", "ops@example.com"
    )
    run("--endpoint", "chat")
    assert Subscription.objects.get(channel="webhook").events == list(map(str, SUBSCRIBABLE))
    assert run().count("Subscription ") == 2
    first = Subscription.objects.earliest("pk")
    assert "has ended" in run("--end", str(first.pk))
    assert Subscription.objects.count() == 1
    assert {e.verb for e in AuditEvent.objects.all()} == {"subscribe", "unsubscribe"}


def test_for_a_user_it_is_theirs_and_by_their_rights(reader: "User") -> None:
    run("outage_began", "--mail", "r@example.com", "--user", "reader")
    assert Subscription.objects.get().owner == reader
    EndpointFactory.create(slug="chat")
    with pytest.raises(CommandError, match="submit_entry"):
        run("outage_began", "--endpoint", "chat", "--user", "reader")
    UserFactory.create(username="nothing", is_staff=True)
    with pytest.raises(CommandError, match="view_entry"):
        run("outage_began", "--mail", "n@example.com", "--user", "nothing")


def test_if_missing_changes_nothing_the_second_time() -> None:
    for _ in range(2):
        run("all", "--mail", "ops@example.com", "--if-missing")
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["group_new"], "Say where notices go"),
        (["nonsense", "--mail", "a@example.com"], "There is no event 'nonsense'"),
        (["--mail", "nonsense"], "is no address for mails"),
        (["--endpoint", "nowhere"], "There is no endpoint 'nowhere'"),
        (["--end", "7"], "There is no subscription 7"),
        (["--mail", "a@example.com", "--user", "ghost"], "There is no user 'ghost'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_words(args: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run(*args)


def test_mails_get_a_language() -> None:
    assert "for all in de: group_new" in run(
        "group_new", "--mail", "a@b.example", "--language", "de"
    )
    assert Subscription.objects.get().language == "de"
    with pytest.raises(CommandError, match="There is no language 'tlh'"):
        run("group_new", "--mail", "b@b.example", "--language", "tlh")
