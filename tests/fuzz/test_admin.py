"""Requests at the admin that no page sends: no answer is ever a 5xx."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.admin.walking import addresses, populate
from tests.fuzz.values import Chaos, amount

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]

#: They end the session, or take seconds for a password.
LEFT_OUT = {"logout", "login", "password_change", "auth_user_add", "auth_user_password_change"}
NAMES = (
    *("q", "p", "o", "all", "e", "status", "kind", "source", "state", "action", "operation"),
    *("fingerprint", "error_class", "failed_after", "failed_before", "gone", "outcome", "cursor"),
    *("seen", "id", "id__in", "pk", "title__contains", "_changelist_filters", "_popup", "upstream"),
    *("_to_field", "source__id__exact", "kind__exact", "created_at__gte", "verb", "actor_label"),
    *("payload", "payload.url", "payload.links.0", "payload.", "payload.a..b", "payload.%00"),
)
FIELDS = (
    *("action", "_selected_action", "select_across", "index", "title", "payload", "external_id"),
    *("kind", "slug", "name", "location", "options", "reason", "url", "secret", "sync_interval"),
    *("ids", "filter", "failed_of", "rate_per_second", "canary_size", "max_failure_percent"),
    *("entry_kind", "format", "import_file", "upload", "user", "expires_at", "_save", "post"),
)
ACTIONS = ("retry_selected", "resync_selected", "stop_selected", "discard_selected", "x", "")


def query(chaos: Chaos) -> str:
    names = [chaos.random.choice(NAMES) for _ in range(chaos.few())]
    texts = [str(chaos.value(name)).encode("utf-8", "surrogatepass") for name in names]
    return "&".join(f"{name}={quote(text)}" for name, text in zip(names, texts, strict=True))


def form(chaos: Chaos) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for _ in range(chaos.random.choice((0, 2, 5))):
        name = chaos.random.choice(FIELDS)
        made[name] = str(chaos.value(name)).encode("utf-8", "replace").decode()
    if chaos.random.random() < 0.3:
        made["action"] = chaos.random.choice(ACTIONS)
        made["_selected_action"] = [chaos.random.choice(("1", "x", "99999999999999999999"))]
    if chaos.random.random() < 0.1:
        made["import_file"] = made["upload"] = SimpleUploadedFile("x.csv", chaos.bytes() or b"x")
    return made


def test_nothing_in_the_admin_is_a_5xx(chief: "User") -> None:
    client = Client(raise_request_exception=False)
    client.force_login(chief)
    places = [each for each in addresses(populate()) if each.name not in LEFT_OUT]
    chaos = Chaos()
    wrong = []
    for _ in range(amount(600)):
        place = chaos.random.choice(places)
        asked = query(chaos)
        if chaos.random.random() < 0.6:
            answer = client.get(place.url, QUERY_STRING=asked)
            sent: Any = "GET"
        else:
            sent = form(chaos)
            answer = client.post(f"{place.url}?{asked}", sent)
        if answer.status_code >= 500:
            wrong.append((answer.status_code, place.url, asked, sent))
    assert not wrong, f"{len(wrong)} in the admin, such as {wrong[:5]}"
