"""``manage.py desk``: the API's verbs as commands, with its words, rights and codes."""

import json
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from entries.models import Entry
from retry.management.desk.verbs import list_verbs
from retry.models import AuditEvent, Hold, Operation
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.processes import dispatching, listening_worker

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def desk(*words: object) -> str:
    out = StringIO()
    call_command("desk", *map(str, words), stdout=out)
    return out.getvalue()


def read(*words: object) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(desk(*words, "--json"))
    return answer


def refused(*words: object) -> CommandError:
    with pytest.raises(CommandError) as caught:
        desk(*words)
    return caught.value


def test_each_address_of_the_api_is_a_verb_and_each_is_one_alone() -> None:
    verbs = [(verb.noun, verb.name) for verb in list_verbs()]
    assert len(verbs) == len(set(verbs))
    assert {("entries", "list"), ("entries", "retry-bulk"), ("operations", "pause")} <= set(verbs)
    assert all(verb.words.endswith(".") for verb in list_verbs())


def test_lists_are_lines_and_rows_of_the_api() -> None:
    entry = EntryFactory.create(failed=True, title="A page\twith a tab")
    EntryFactory.create()
    assert str(entry.pk) in desk("entries", "list", "--status", "failed")
    assert len(desk("entries", "list", "--status", "failed").splitlines()) == 1
    assert [row["id"] for row in read("entries", "list", "--status", "failed")["results"]] == [
        entry.pk
    ]
    assert desk("entries", "list", "--status", "discarded") == "Nothing.\n"
    assert "There are more: --cursor" in desk("entries", "list", "--limit", "1")


def test_payloads_are_filtered_by_path() -> None:
    entry = EntryFactory.create(payload={"customer": {"id": 17}})
    EntryFactory.create(payload={"customer": {"id": 18}})
    found = read("entries", "list", "--payload", "customer.id=17")["results"]
    assert [row["id"] for row in found] == [entry.pk]
    started = read("entries", "discard", "--filter", "payload.customer.id=17", "--reason", "twice")
    operation = Operation.objects.get(pk=started["operation_id"])
    assert (operation.total, operation.reason) == (1, "twice")


def test_an_entry_is_retried_by_the_account_of_the_system() -> None:
    entry = EntryFactory.create(failed=True)
    assert "status: queued" in desk("entries", "retry", "--entry-id", entry.pk)
    assert AuditEvent.objects.get(verb="retry").channel == "command"


def test_entries_are_submitted_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "orders.json"
    file.write_text(json.dumps([{"external_id": "order-1", "payload": {"do": "succeed"}}]))
    answer = read("entries", "submit", "--kind", "scripted", "--entries", f"@{file}")
    assert answer["queued"] == 1
    assert Entry.objects.get().external_id == "order-1"
    assert refused("entries", "submit", "--entries", "@/nowhere").returncode == 2


def test_what_was_submitted_is_waited_for_in_all_its_runs(tmp_path: Path) -> None:
    file = tmp_path / "orders.json"
    file.write_text(json.dumps([{"external_id": "order-1", "payload": {"do": "succeed"}}]))
    words = ("entries", "submit", "--kind", "scripted", "--entries", f"@{file}")
    with dispatching(), listening_worker("bulk"):
        [run] = read(*words, "--wait")["runs"]
    assert (run["state"], run["succeeded"], run["total"]) == ("finished", 1, 1)
    assert read(*words, "--wait")["runs"] == []


def test_what_is_refused_says_so_with_the_codes_of_the_api() -> None:
    entry = EntryFactory.create()
    error = refused("entries", "retry", "--entry-id", entry.pk)
    assert (error.returncode, "only failed entries" in str(error)) == (1, True)
    error = refused("entries", "show", 999_999)
    assert error.returncode == 2
    for value in ("nan", "NaN", "inf", "-1", "1e9"):
        error = refused(
            "entries", "retry-bulk", "--filter", "all=true", f"--rate-per-second={value}"
        )
        assert (error.returncode, "rate_per_second" in str(error)) == (2, True)
    assert not Operation.objects.exists()


def test_a_misspelt_name_is_answered_with_those_that_exist() -> None:
    assert "'operations'" in str(refused("operation", "list"))
    assert "'pause'" in str(refused("operations", "paus", "x"))
    assert "scripted" in str(refused("entries", "list", "--kind", "scriptd"))


def test_it_can_be_done_with_the_rights_of_a_user(operator: "User") -> None:
    grant(operator, "retry.manage_hold", "retry.view_hold")
    assert read("holds", "place", "--kind", "scripted", "--as", operator.username)["actor"]
    assert Hold.objects.get().actor == operator
    error = refused("audit", "list", "--as", operator.username)
    assert (error.returncode, "retry.view_auditevent" in str(error)) == (1, True)
    assert "No active member of staff" in str(refused("holds", "list", "--as", "nobody"))


def test_a_subscription_is_made_switched_off_and_ended() -> None:
    words = ("--events", "outage_began,group_new", "--address", "oncall@example.com")
    made = read("subscriptions", "subscribe", *words)
    assert (made["events"], made["owner"]) == (["outage_began", "group_new"], None)
    changed = read("subscriptions", "change", made["id"], "--active", "false")
    assert changed == made | {"active": False}
    assert "oncall@example.com" in desk("subscriptions", "list")
    assert refused("subscriptions", "test", made["id"]).returncode == 2
    desk("subscriptions", "delete", made["id"])
    assert desk("subscriptions", "list") == "Nothing.\n"


def test_waiting_ends_where_a_person_has_to_act() -> None:
    EntryFactory.create(failed=True)
    started = read("entries", "retry-bulk", "--filter", "status=failed")
    desk("operations", "pause", started["operation_id"])
    with pytest.raises(SystemExit) as caught:
        desk("operations", "show", started["operation_id"], "--wait")
    assert caught.value.code == 1
    assert "nothing to wait for" in str(refused("status", "show", "--wait"))
