"""What is of a hidden source shows nowhere: no text, no id, and no number that is another for it.

Everything that may be read is read twice: without the hidden world, and with it. Both must say the
same.
"""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from entries.models import Entry
from retry.api.http.throttle import unknown_tokens
from retry.models import ErrorGroup, Operation, Run
from tests.admin.browsing import Browser, text_of
from tests.admin.walking import addresses
from tests.api import walking
from tests.api.calls import PREFIX
from tests.walk import acts, page, traces
from tests.walk.hidden import MARKS, NUMBER, SHARED, WORD, add_hidden_world, normalise
from tests.walk.routes import list_routes
from tests.walk.words import DONE, OK

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(1200)]

#: Ends the session, or tells how much time is left.
_LEFT_OUT = {"logout", "password_change", "password_change_done", "jsi18n"}
#: Addresses of lists that look for more than the resolver knows.
_MORE = (
    "/admin/?period=7d",
    "/admin/entries/entry/?status=failed",
    "/admin/entries/entry/?status=failed&fingerprint=1-shared",
    "/admin/entries/entry/?source=mine",
    "/admin/entries/entry/?sort=oldest",
    "/admin/entries/entry/?q=HTTP",
    "/admin/entries/entry/facets/?status=failed",
    "/admin/retry/operation/?state=running",
    "/admin/retry/operation/preview/?action=retry&status=failed",
    "/admin/retry/operation/preview/numbers/?action=retry&status=failed",
    "/admin/retry/operation/preview/?action=resync&all=true",
    "/admin/retry/errorgroup/?state=open",
    "/admin/retry/auditevent/?q=anna",
    f"{PREFIX}entries?status=failed",
    f"{PREFIX}entries?q=HTTP",
    f"{PREFIX}entries?source=mine",
    f"{PREFIX}syncs?state=failed",
    f"{PREFIX}holds?standing=true",
)


def read_everything(user: User, made: dict[str, Any]) -> dict[str, str]:
    """What every address answers, by the address: the whole of it."""
    cache.clear()
    browser = Browser(user)
    urls = [each.url + acts.QUERIES.get(each.name, "") for each in addresses(made)
            if each.name not in _LEFT_OUT]  # fmt: skip
    urls += [PREFIX + walking.path_of(each.name) for each in list_routes() if each.http == "get"]
    found = {}
    for url in [*urls, *_MORE]:
        answer: Any = browser.get(url)
        found[url] = f"{answer.status_code} {answer.headers.get('Location', '')} " + (
            answer.content.decode()
        )
        unknown_tokens.clear()
    for file_format in ("csv", "json"):
        answer = browser.post("/admin/entries/entry/export/", {"format": file_format})
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        found[f"export {file_format}"] = body.decode()
    return found


def test_what_is_hidden_changes_nothing_that_is_shown(user: User, made: dict[str, Any]) -> None:
    walking.furnish()
    with traces.undone():
        before = read_everything(user, made)
    add_hidden_world(SHARED)
    with traces.undone():
        after = read_everything(user, made)
    marked = {url: sorted(set(MARKS.findall(text))) for url, text in after.items()}
    assert {url: marks for url, marks in marked.items() if marks} == {}
    said = {url: (_say(before[url]), _say(after[url])) for url in before}
    differ = {url: _find_difference(*both) for url, both in said.items() if both[0] != both[1]}
    assert not differ, "\n".join(f"{url}: {words}" for url, words in differ.items())


def _find_difference(before: str, after: str) -> tuple[str, str]:
    """Where two texts begin to differ."""
    same = next(
        (
            place
            for place, pair in enumerate(zip(before, after, strict=False))
            if pair[0] != pair[1]
        ),
        min(len(before), len(after)),
    )
    around = slice(max(same - 40, 0), same + 60)
    return before[around], after[around]


def _say(answer: str) -> str:
    return normalise(text_of(answer))


def test_nothing_hidden_is_found(user: User, made: dict[str, Any]) -> None:
    hidden = add_hidden_world(SHARED)
    browser = Browser(user)
    about = tuple(f"/admin/{key.replace('_', '/', 1)}/" for key in hidden)
    for each in addresses(made | hidden):
        if "<id>" not in each.pattern or not each.url.startswith(about):
            continue
        answer: Any = browser.get(each.url)
        found = answer.status_code == 302 and answer["Location"] != "/admin/"
        assert answer.status_code in {302, 403, 404, 405}, each
        assert not found or answer["Location"].endswith("/change/"), each
        assert not MARKS.search(answer.content.decode().replace(each.url, "")), each
    for path in (
        f"entries/{NUMBER + 100}",
        f"syncs/{NUMBER + 2}",
        f"operations/{hidden['retry_operation'].pk}",
        f"operations/{hidden['retry_operation'].pk}/items",
    ):
        assert browser.get(PREFIX + path).status_code == 404, path


def test_a_search_finds_nothing_hidden(user: User, made: dict[str, Any]) -> None:
    add_hidden_world(SHARED)
    browser = Browser(user)
    for query in (f"q={WORD}", f"upstream={WORD}.example", f"fingerprint=1-{WORD}"):
        assert browser.get(f"{PREFIX}entries?{query}").json()["results"] == []
    said = browser.get(f"{PREFIX}entries?source={WORD}-source").json()
    assert said["code"] == "unknown_source"
    assert f"{WORD}-source" not in said["known"]
    for name in ("entries/entry", "retry/run", "retry/operation", "retry/sync", "retry/hold",
                 "retry/errorgroup", "entries/source"):  # fmt: skip
        answer: Any = browser.get(f"/admin/{name}/?q={WORD}")
        assert answer.status_code == 200, name
        assert answer.context["cl"].result_count == 0, name


def test_of_a_mixed_operation_only_the_own_part_is_seen(user: User, made: dict[str, Any]) -> None:
    hidden = add_hidden_world(SHARED)
    operation: Operation = hidden["retry_operation"]
    entry = Entry.objects.filter(source__slug="mine", status="failed").earliest("pk")
    Run.objects.create(
        operation=operation, position=1, trigger="bulk_retry", actor_label="anna", kind="page",
        source=entry.source, entry_ids=[entry.pk], size=1, state="planned", queue="bulk",
    )  # fmt: skip
    Operation.objects.filter(pk=operation.pk).update(
        source_ids=[*operation.source_ids, entry.source_id], total=7_778, actor_label="anna"
    )
    browser, id_ = Browser(user), str(operation.pk)
    own = {"operation_id": id_, "total": 1, "planned": 1, "failed": 0, "reason": ""}
    found = browser.get(f"{PREFIX}operations/{id_}").json()
    assert {name: found[name] for name in own} == own
    (item,) = browser.get(f"{PREFIX}operations/{id_}/items").json()["results"]
    assert item["entry_id"] == entry.pk
    texts = [
        browser.get(url).content.decode()
        for url in (
            f"{PREFIX}operations",
            f"{PREFIX}operations/{id_}",
            "/admin/",
            "/admin/retry/operation/",
            f"/admin/retry/operation/{id_}/change/",
            f"/admin/retry/operation/{id_}/items/",
            f"/admin/retry/operation/{id_}/timeline/",
            f"/admin/retry/operation/{id_}/history/",
        )
    ]
    for text in texts:
        rest = text.replace(id_, "").replace(operation.pk.hex[:8], "")
        assert not MARKS.search(rest), MARKS.findall(rest)
        assert "7,777" not in rest
        assert "7777" not in rest
    for verb in ("pause", "resume", "cancel", "overrule", "approve"):
        answer: Any = browser.post(f"/admin/retry/operation/{id_}/{verb}/")
        assert answer.status_code == 403, verb
    assert Operation.objects.get(pk=operation.pk).state == "running"


def test_of_a_shared_group_only_the_own_part_is_seen(user: User, made: dict[str, Any]) -> None:
    """And what is decided about all of it, others decide."""
    add_hidden_world(SHARED)
    group = ErrorGroup.objects.get(fingerprint=SHARED)
    browser = Browser(user)
    text = browser.get(f"/admin/retry/errorgroup/{group.pk}/change/").content.decode()
    assert not MARKS.search(text), MARKS.findall(text)
    assert "3 entries" in text_of(text) or "3 failed" in text_of(text)
    assert "777" not in text_of(text)
    for verb in ("acknowledge", "mute", "resolve", "note"):
        form = acts.form_for(f"retry_errorgroup_{verb}", made)
        answer: Any = browser.post(f"/admin/retry/errorgroup/{group.pk}/{verb}/", form)
        assert answer.status_code == 403, verb
        assert f"/{verb}/" not in text
    group.refresh_from_db()
    assert (group.state, group.note) == ("open", "")


_ABOUT_A_SOURCE = {
    "Entries",
    "Sources",
    "Audit events",
    "Error groups",
    "Imports",
    "Operations",
    "Runs",
    "Syncs",
}


@pytest.mark.usefixtures("db")
def test_no_verb_does_anything_to_what_is_hidden() -> None:
    """And the document says so."""
    found = page.hidden_tables()
    assert page.read_block().endswith(page.draw_hidden(found)), f"run: {page.COMMAND}"
    for title, table in found.items():
        for (_, area), rows in table.rows.items():
            if area not in _ABOUT_A_SOURCE:
                continue
            for label, words in rows.items():
                if "<id>" in label and "views/" not in label:
                    assert not {OK, DONE} & set(words), (title, label, words)
