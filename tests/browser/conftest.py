from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from tests.support.browser import Contexts, Visitor, chromium

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.live_server_helper import LiveServer

PASSWORD = "correct horse"


@pytest.fixture(scope="package")
def contexts() -> Iterator[Contexts]:
    """Of one browser for all stories. It is gone after them: while Playwright's loop runs in this
    thread, Django takes every query of a test for one inside a coroutine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        with chromium() as found:
            yield Contexts(found)


@pytest.fixture
def visit(contexts: Contexts, live_server: "LiveServer") -> Iterator[Callable[..., Visitor]]:
    """``visit(user)``: a visitor who has logged in as ``user``, whose password is ``PASSWORD``, and
    stands at the front page; options are the context's."""
    cache.clear()
    visitors: list[Visitor] = []

    def arrive(user: "User | None" = None, **options: Any) -> Visitor:
        visitor = Visitor(contexts, live_server.url, **options)
        visitors.append(visitor)
        if user is not None:
            user.set_password(PASSWORD)
            user.save()
            client = Client()
            client.force_login(user)
            visitor.come_back(client.cookies[settings.SESSION_COOKIE_NAME].value)
        return visitor

    yield arrive
    for visitor in visitors:
        visitor.close()
