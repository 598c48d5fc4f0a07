"""Every address of the admin, as the resolver knows it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import URLPattern, URLResolver, get_resolver

from retry.models import Action, ApiToken, AuditEvent, Import, Run, Sync
from retry.operations import control
from retry.operations.selection import Selection
from tests.factories.entries import EndpointFactory, EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT
from tests.support.error_groups import note_failures
from tests.support.notices import note_test, subscribe_to

_GROUP = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Address:
    """``pattern``: the way to it as a person would write it down, below the admin."""

    name: str
    url: str
    pattern: str


def populate() -> dict[str, Any]:
    """One object of every model in the admin, by ``app_model``; all about entries of one source."""
    from retry.service import retry_entries

    source = SourceFactory.create()
    entry = EntryFactory.create(failed=True, source=source)
    tried = EntryFactory.create(failed=True, kind="scripted", source=source)
    retry_entries([tried.pk], actor=SCRIPT)
    user = UserFactory.create(username="somebody")
    chosen = Selection(ids=(entry.pk,))
    made = {
        "entries_source": source,
        "entries_entry": entry,
        "entries_endpoint": EndpointFactory.create(),
        "retry_run": Run.objects.first(),
        "retry_operation": control.start(chosen, action=Action.RETRY, actor=SCRIPT),
        "retry_errorgroup": note_failures(
            entry.fingerprint, sample_entry_id=entry.pk, kind=entry.kind
        ),
        "retry_sync": Sync.objects.create(source=source, state="succeeded", dry_run=True),
        "retry_import": Import.objects.create(
            dry_run=True,
            state="succeeded",
            file_name="a.csv",
            file_format="csv",
            kind="page",
            source=source,
        ),
        "retry_auditevent": AuditEvent.objects.first(),
        "retry_subscription": (told := subscribe_to(user=None)),
        "retry_notice": note_test(told),
        "retry_apitoken": ApiToken.objects.create(user=user, name="nightly", digest="d" * 64),
        "auth_user": user,
        "auth_group": Group.objects.create(name="desk"),
    }
    for model in admin.site._registry:
        key = f"{model._meta.app_label}_{model._meta.model_name}"
        if key not in made:
            made[key] = _make(model)
    return made


def _make(model: Any) -> Any:
    """An object of a model that is not ours, with something in every column that wants it."""
    values = {
        field.name: 1 if "Integer" in field.get_internal_type() else "x"
        for field in model._meta.concrete_fields
        if not (field.null or field.has_default() or field.primary_key)
        and not getattr(field, "auto_now_add", False)
        and field.get_internal_type() != "DateTimeField"
    }
    return model.objects.create(**values)


def addresses(made: dict[str, Any]) -> list[Address]:
    """``made``: what ``populate`` returned."""
    root = next(
        found
        for found in get_resolver().url_patterns
        if isinstance(found, URLResolver) and found.namespace == "admin"
    )
    return [
        Address(name, f"/{_fill(route, made)}", _GROUP.sub(_blank, route).removeprefix("admin/"))
        for name, route in _leaves(root, str(root.pattern))
    ]


def _leaves(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, str]]:
    for found in resolver.url_patterns:
        route = prefix + str(found.pattern).lstrip("^").rstrip("$")
        if isinstance(found, URLPattern):
            yield found.name or "", route
        else:
            yield from _leaves(found, route)


def _fill(route: str, made: dict[str, Any]) -> str:
    owner = next((obj for key, obj in made.items() if route.startswith(_prefix(key))), None)
    known = {
        "app_label": "entries",
        "content_type_id": "1",
        "url": "nowhere/",
        "object_id": quote(str(owner.pk), safe="") if owner else "1",
        "id": str(owner.pk) if owner else "1",
    }
    return _GROUP.sub(lambda match: known[match[1] or match[2]], route)


def _blank(match: re.Match[str]) -> str:
    name = match[1] or match[2]
    return f"<{'id' if name == 'object_id' else name}>"


def _prefix(key: str) -> str:
    app_label, model = key.split("_", 1)
    return f"admin/{app_label}/{model}/"
