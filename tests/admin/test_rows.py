"""The rows of every list: those of Django, with plain text in ``<bdi>`` and labels on the cells."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.admin.filters import SimpleListFilter
from django.contrib.admin.templatetags.admin_list import admin_list_filter, results
from django.utils import timezone, translation

from entries.admin.distance import describe_distance
from entries.admin.filter_links import render_filter
from entries.admin.rows import render_table
from entries.models import Entry
from retry.models import Hold
from tests.admin.browsing import ENTRIES, Browser
from tests.admin.walking import populate
from tests.factories.entries import EntryFactory, SourceFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
HOSTILE = '<script>"x"</script> & \u05e9\u05dc\u05d5\u05dd'
#: What ours has and Django's has not.
_OURS = re.compile(r'</?bdi[^>]*>|(?<=["\w]) data-label="[^"]*"')


def test_cells_are_those_of_django(chief: "User") -> None:
    populate()
    EntryFactory.create(title=HOSTILE, kind="<b>", external_id=HOSTILE, gone_at=timezone.now())
    Hold.objects.create(kind="<b>", actor_label=HOSTILE, reason=" ")
    browser, compared = Browser(chief), 0
    for model in admin.site._registry:
        answer = browser.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/")
        cl = answer.context["cl"]
        with time_machine.travel(timezone.now(), tick=False):
            ours = render_table(cl)
            django = ["".join(map(str, row)) for row in results(cl)]
        body = ours.partition("<tbody>")[2]
        assert re.findall(r"<tr>(.*?)</tr>", _OURS.sub("", body), re.DOTALL) == [
            _OURS.sub("", row) for row in django
        ], model
        compared += len(django)
    assert compared > 15


@pytest.mark.parametrize("query", ["", "?status=failed&kind=%22%26%3Cb%3E&q=a+b%C3%A4&p=0"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_filters_are_those_of_django(chief: "User", query: str, language: str) -> None:
    populate()
    source = SourceFactory.create(name=HOSTILE)
    url = "https://h.example/&amp;?a=b"
    EntryFactory.create(failed=True, source=source, error_class='"&<x>', payload={"url": url})
    browser, compared = Browser(chief), 0
    for model in admin.site._registry:
        page = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        answer = browser.get(page + query if model is Entry else page)
        cl = answer.context["cl"]
        with translation.override(language):
            for spec in cl.filter_specs:
                ours, django = render_filter(cl, spec), admin_list_filter(cl, spec)
                assert _squeeze(ours) == _squeeze(django), (model, spec.title)
                if isinstance(spec, SimpleListFilter):
                    usual = list(SimpleListFilter.choices(spec, cl))
                    assert list(spec.choices(cl)) == usual, (model, spec.title)
                compared += 1
    assert compared > 30


def _squeeze(html: str) -> str:
    return re.sub(r"\s*(<|>)\s*", r"\1", html.replace("&#39;", "&#x27;"))


def test_plain_text_is_isolated_and_labelled(at_desk: Browser) -> None:
    source = SourceFactory.create(name=HOSTILE)
    EntryFactory.create(failed=True, title=HOSTILE, source=source, error_message=HOSTILE)
    page = at_desk.read(ENTRIES)
    shown = HOSTILE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = shown.replace('"', "&quot;")
    cell = f'data-label="Source"><bdi title="{shown}">{shown}</bdi></td>'
    assert f'<td class="field-source nowrap" {cell}' in page
    assert f"<bdi>{shown}</bdi></span>" in page  # the error
    assert "<script>&quot;" not in page
    assert '<script>"x"' not in page


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (4.9, "just now"),
        (5, "5 s ago"),
        (59.9, "59 s ago"),
        (200, "3 min ago"),
        (3600 * 5 + 1800, "5 h ago"),
        (86400 * 1.5, "1 day ago"),
        (86400 * 45, "45 days ago"),
        (86400 * 100, "3 months ago"),
        (86400 * 800, "2 years ago"),
        (-90, "in 1 min"),
        (-86400 * 3, "in 3 days"),
    ],
)
def test_a_time_is_told_by_its_distance(seconds: float, words: str) -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    assert describe_distance(now - timedelta(seconds=seconds), now=now) == words


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", ["amy", "bob"]),
        ("?o=-1", ["bob", "amy"]),  # by name, which has an index
        ("?o=-2", ["amy", "bob"]),
        ("?o=x.99.-1", ["bob", "amy"]),
    ],
)
def test_people_are_sorted_by_name_alone(
    query: str, order: list[str], chief: "User", django_user_model: Any
) -> None:
    for name, mail in (("amy", "z@x.example"), ("bob", "a@x.example")):
        django_user_model.objects.create(username=name, email=mail)
    cl = Browser(chief).get(f"/admin/auth/user/{query}").context["cl"]
    assert [user.username for user in cl.result_list if user.username in order] == order
