"""The admin, walked by somebody: every address that the resolver knows, and every action that a
list knows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import RequestFactory
from django.utils.text import capfirst

from tests.admin.browsing import Browser
from tests.admin.walking import Address, addresses
from tests.walk import acts, traces
from tests.walk.words import Visit

if TYPE_CHECKING:
    from collections.abc import Iterable


_APPS = ("entries", "retry", "auth")


def _order(model: type[Model]) -> tuple[bool, int, str]:
    label = model._meta.app_label
    known = label in _APPS
    return not known, _APPS.index(label) if known else 0, str(model._meta.verbose_name_plural)


@cache
def _areas() -> list[tuple[str, tuple[int, str]]]:
    """How addresses of each model begin, and what stands above them."""
    return [
        (f"{meta.app_label}/{meta.model_name}/", (place, capfirst(str(meta.verbose_name_plural))))
        for place, model in enumerate(sorted(admin.site._registry, key=_order), 1)
        for meta in (model._meta,)
    ]


@dataclass(frozen=True, slots=True)
class Step:
    """``act``: the action of a list; empty for what the address itself does."""

    address: Address
    method: str
    act: str = ""

    @property
    def label(self) -> str:
        """Code and words, as a table shows them."""
        return f"`{self.address.pattern or '/'}`" + (f" {self.act}" if self.act else "")

    @property
    def area(self) -> tuple[int, str]:
        """What it belongs to, with the place of that among the others."""
        for prefix, area in _areas():
            if self.address.pattern.startswith(prefix):
                return area
        return 0, "The desk"


def steps(made: acts.Made) -> list[Step]:
    """``made``: what ``populate`` returned."""
    found = addresses(made)
    plain = [Step(address, method) for address in found for method in ("GET", "POST")]
    by_name = {address.name: address for address in found}
    return plain + [Step(by_name[name], "POST", act) for name, act in _listed()]


def _listed() -> "Iterable[tuple[str, str]]":
    """Lists and their actions, as a superuser is offered them."""
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    for model, page in admin.site._registry.items():
        for act in page.get_actions(request):
            yield f"{model._meta.app_label}_{model._meta.model_name}_changelist", act


def walk(made: acts.Made, user: User | None) -> "Iterator[tuple[Step, Visit]]":
    """Take every step as ``user``, each from the same beginning."""
    with traces.undone():
        acts.furnish(made, user)
        browser = Browser(user)
        session = dict(browser.cookies)
        start = traces.everything()
        for step in steps(made):
            browser.cookies.clear()
            browser.cookies.update(session)
            with traces.undone():
                visit = _take(step, browser, made, start)
            yield step, visit


def _take(step: Step, browser: Browser, made: acts.Made, start: Mapping[str, str]) -> Visit:
    name = step.address.name
    url = step.address.url
    before = acts.BEFORE.get(step.act or name)
    if before is None:
        since = traces.observed(start)
    else:
        made = dict(made)
        since = traces.observed(start, prepare=lambda: made.update(before(made)))
        url = next(each.url for each in addresses(made) if each.name == name)
    url += acts.QUERIES.get(name, "")
    if step.method == "GET":
        answer: Any = browser.get(url)
    elif step.act:
        answer = browser.post(url, acts.ticked(made[name.removesuffix("_changelist")], step.act))
    else:
        answer = browser.post(url, acts.form_for(name, made))
    return Visit.of(answer, name=name, method=step.method, act=step.act, trace=since())
