"""Every public verb: its actor is said, its audit commits with it, nothing runs ahead of it."""

import contextlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as configured
from django.db import transaction

from entries.models import Entry, Source
from entries.sources import registry
from retry import queue, service
from retry.errors import NotPermitted
from retry.models import (
    ApiToken,
    AuditEvent,
    ErrorGroup,
    Hold,
    Import,
    Notice,
    NoticeDelivery,
    Operation,
    Run,
    SavedView,
    Subscription,
    Sync,
)
from retry.outcomes import Actor, Channel
from tests.laws.verbs import ACTS, INTERNAL, Constant, Scene, defined, public
from tests.support.processes import redis_at
from tests.support.registries import restored_registries

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)
SOMEBODY = Actor.command("somebody")
scenes = pytest.mark.parametrize("scene", ACTS.values(), ids=ACTS.keys())


class TakenBack(Exception):
    """Rolls the transaction back."""


@pytest.fixture(autouse=True)
def _uploads(settings: "Settings", tmp_path: Path) -> None:
    backend = "django.core.files.storage.FileSystemStorage"
    own = {"BACKEND": backend, "OPTIONS": {"location": tmp_path / "uploads"}}
    settings.STORAGES = {**settings.STORAGES, "uploads": own}


@pytest.fixture(autouse=True)
def _constant_source() -> Iterator[None]:
    with restored_registries():
        registry.register(Constant)
        yield


def jobs() -> int:
    return len(queue.observe(tuple(configured.REDRIVE_QUEUES)).waiting)


def audited(scene: Scene) -> int:
    return AuditEvent.objects.filter(verb=scene.audited, actor_label=SOMEBODY.label).count()


def everything() -> list[object]:
    """What a verb could have changed."""
    models = (
        *(Entry, Source, Run, Operation, Sync, Import, Hold, ErrorGroup),
        *(ApiToken, SavedView, AuditEvent, Subscription, Notice, NoticeDelivery),
    )
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_every_public_verb_is_acted_out() -> None:
    assert ACTS.keys() == public().keys()


def test_every_verb_is_importable_from_the_service_and_listed_there() -> None:
    assert {id(verb): name for name, verb in defined().items()}.keys() == {
        id(verb) for verb in public().values()
    }
    assert set(re.findall(r"``(\w+)``", service.__doc__ or "")) == public().keys()


@pytest.mark.parametrize("verb", public().values(), ids=public().keys())
def test_who_acts_is_a_keyword_that_cannot_be_left_out(verb: object) -> None:
    assert callable(verb)
    actor = inspect.signature(verb).parameters["actor"]
    assert actor.kind is inspect.Parameter.KEYWORD_ONLY
    assert actor.default is inspect.Parameter.empty


@scenes
def test_a_success_is_audited_once(scene: Scene) -> None:
    act = scene.prepare()
    act(SOMEBODY)
    assert audited(scene) == 1
    assert AuditEvent.objects.get(verb=scene.audited, actor_label="somebody").channel == "command"
    assert jobs() == scene.jobs


@scenes
def test_what_is_rolled_back_leaves_neither_audit_nor_job(scene: Scene) -> None:
    act = scene.prepare()
    before = everything()
    with contextlib.suppress(TakenBack), transaction.atomic():
        act(SOMEBODY)
        assert audited(scene) == 1
        raise TakenBack
    assert everything() == before
    assert jobs() == 0


@scenes
def test_nothing_is_enqueued_before_the_commit(scene: Scene) -> None:
    act = scene.prepare()
    with transaction.atomic():
        with transaction.atomic():
            act(SOMEBODY)
        assert jobs() == 0
    assert jobs() == scene.jobs


@pytest.mark.parametrize("name", sorted(ACTS.keys() - INTERNAL))
def test_without_the_permission_nothing_happens(name: str, powerless: "User") -> None:
    act = ACTS[name].prepare()
    before = everything()
    with pytest.raises(NotPermitted):
        act(Actor.from_user(powerless, channel=Channel.API))
    assert everything() == before
    assert jobs() == 0


def test_without_redis_a_sync_is_asked_for_all_the_same() -> None:
    scene = ACTS["request_sync"]
    with redis_at("unix:///nowhere/redis.sock"):
        scene.prepare()(SOMEBODY)
    assert audited(scene) == 1
    assert Sync.objects.get().dispatches == 0, "the dispatcher hands it over"
