"""Each block of ``docs/recipes.md`` does what its recipe says."""

from collections import Counter
from pathlib import Path

import pytest
from django.utils import timezone

from entries.models import Entry
from retry.models import ErrorGroup, Hold, Operation, Subscription
from tests.client import recipes
from tests.client.recipes import Desk, fail, furnish, open_desk
from tests.factories.entries import EndpointFactory
from tests.support.servers import wait_until

#: Asks meanwhile for a retry, and notes which holds there are.
_DEPLOY = """\
#!/bin/bash
set -eu
ask() { curl -sS "$DESK/$1" -H "Authorization: Bearer $TOKEN" "${@:2}"; }
ask "entries?external_id=1-503-0" | jq '{entry_id: .results[0].id}' |
  ask retry -H "Content-Type: application/json" -d @- >retried.json
ask "holds?standing=true" >holds.json
"""
pytestmark = pytest.mark.django_db(transaction=True)


def read_statuses() -> Counter[tuple[str, str]]:
    """Count entries by fingerprint, as they were before, and status."""
    found = Entry.objects.values_list("external_id", "status")
    return Counter((name.rpartition("-")[0], status) for name, status in found)


def check_all_since_ten(desk: Desk) -> None:
    for block in recipes.read_recipes()["Retry all that failed since 10:00, and wait"]:
        furnish(desk)
        printed = desk.run(block)
        assert "completed" in printed
        assert read_statuses() == {
            ("1-503", "succeeded"): 8, ("1-504", "succeeded"): 3, ("1-502", "failed"): 1
        }  # fmt: skip
        assert Operation.objects.get().reason == "the network is back"


def check_one_group(desk: Desk) -> None:
    prove, retry = recipes.read_recipes()["Retry one error group with a canary"]
    for block in (prove, retry):
        furnish(desk)
        assert "completed" in desk.run(block)
        assert read_statuses() == {
            ("1-503", "succeeded"): 8, ("1-504", "failed"): 3, ("1-502", "failed"): 1
        }  # fmt: skip
        assert Operation.objects.get().canary_size == 5
        if block is prove:
            wait_until(lambda: ErrorGroup.objects.filter(fingerprint="1-503", state="resolved"))


def check_a_canary_that_fails(desk: Desk) -> None:
    *_, block = recipes.read_recipes()["Retry one error group with a canary"]
    furnish(desk)
    Entry.objects.filter(fingerprint="1-503").update(payload={"endpoint": "gone"})
    printed = desk.run(block)
    assert "cancelled 0 of 8" in printed
    assert read_statuses()["1-503", "failed"] == 8
    assert Operation.objects.get().state == "cancelled"


def check_a_thousand(desk: Desk) -> None:
    for block in recipes.read_recipes()["Push 1,000 entries and follow them"]:
        furnish(desk)
        desk.run(block)
        pushed = Entry.objects.filter(external_id__startswith="order-")
        assert Counter(pushed.values_list("status", flat=True)) == {"succeeded": 1_000}


def check_a_csv(desk: Desk) -> None:
    rows = [("1-503-0", "crm", "17"), ("1-503-1", "crm", "1"), ("new-1", "crm", "9")]
    text = "".join(f"{','.join(row)}\r\n" for row in [("external_id", "endpoint", "total"), *rows])
    (desk.folder / "orders.csv").write_text(text)
    for block in recipes.read_recipes()["Resubmit from a CSV"]:
        furnish(desk)
        assert desk.run(block) is not None
        wait_until(lambda: Entry.objects.filter(status="succeeded").count() == 3)
        corrected = Entry.objects.get(external_id="1-503-0")
        assert corrected.payload == {"endpoint": "crm", "total": "17"}
        done = Entry.objects.filter(status="succeeded").values_list("external_id", flat=True)
        assert set(done) == {row[0] for row in rows}


def check_a_hold(desk: Desk) -> None:
    deploy = desk.folder / "deploy.sh"
    deploy.write_text(_DEPLOY)
    deploy.chmod(0o755)
    for block in recipes.read_recipes()["Hold while deploying"]:
        furnish(desk)
        desk.run(block)
        assert '"queued"' in (desk.folder / "retried.json").read_text()
        assert '"crm"' in (desk.folder / "holds.json").read_text()
        hold = Hold.objects.get()
        assert hold.lifted_at is not None
        assert hold.ends_at is not None
        retried = Entry.objects.filter(external_id="1-503-0", status="succeeded")
        wait_until(retried.exists, timeout=20)


def check_the_report(desk: Desk) -> None:
    [block] = recipes.read_recipes()["A nightly report"]
    furnish(desk)
    fail("1-500", count=2, at=timezone.now())
    printed = desk.run(block)
    assert "8 still failed, open (-): HTTP 503 from crm" in printed
    assert "14 failed, 0 to be retried" in printed
    assert "long ago" not in printed


def check_the_chat(desk: Desk) -> None:
    EndpointFactory.create(slug="chat", url=desk.receiver.url("/hooks"))
    script, command = recipes.read_recipes()["Tell a chat what goes wrong"]
    desk.run(script)
    desk.run(script)
    made = Subscription.objects.get()
    assert (made.target, made.owner, len(made.events)) == ("chat", None, 4)
    arrived = Entry.objects.filter(kind="webhook", payload__event="test", status="succeeded")
    wait_until(lambda: arrived.count() == 1, timeout=20)
    desk.run(command)
    assert Subscription.objects.filter(endpoint__slug="chat").count() == 2


STORIES = {
    "Retry all that failed since 10:00, and wait": (check_all_since_ten,),
    "Retry one error group with a canary": (check_one_group, check_a_canary_that_fails),
    "Push 1,000 entries and follow them": (check_a_thousand,),
    "Resubmit from a CSV": (check_a_csv,),
    "Hold while deploying": (check_a_hold,),
    "A nightly report": (check_the_report,),
    "Tell a chat what goes wrong": (check_the_chat,),
}


def test_each_recipe_does_what_it_says(tmp_path: Path, subtests: pytest.Subtests) -> None:
    """At one desk: to start its processes takes longer than most recipes."""
    titles = recipes.read_recipes().keys() - {""}
    assert titles == STORIES.keys()
    with open_desk(tmp_path) as desk:
        for title, checks in STORIES.items():
            for check in checks:
                with subtests.test(title):
                    check(desk)
