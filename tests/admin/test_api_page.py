"""The page that shows the document of the API."""

from typing import TYPE_CHECKING

import pytest

from tests.admin.browsing import Browser
from tests.api import document

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


def test_all_staff_read_every_call_and_type(powerless: "User") -> None:
    page = Browser(powerless).read("/admin/retry/api/")
    for call in document.list_calls():
        assert f"<code>{call.path}</code>" in page
        assert f'id="call-{call.operation["operationId"]}"' in page
    for name in document.read()["components"]["schemas"]:
        assert f'id="type-{name}"' in page
    assert "style=" not in page


def test_every_page_leads_to_it(powerless: "User") -> None:
    assert 'href="/admin/retry/api/"' in Browser(powerless).read("/admin/")
