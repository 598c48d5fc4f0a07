"""Many requests that wait at a real web server, and those that do not."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from retry.access import tokens
from retry.models import Operation
from retry.outcomes import Actor
from tests.api.server import WebServer, web_server
from tests.conftest import grant
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
WAITERS = 6


def ask(web: WebServer, path: str, headers: dict[str, str]) -> httpx.Response:
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=str(web.path)), base_url="http://localhost", timeout=90
    ) as client:
        return client.get(path, headers=headers)


def test_they_take_no_thread_from_others_and_end_with_the_server(operator: "User") -> None:
    user = grant(operator, "retry.view_operation")
    token = tokens.create(user, name="test", actor=Actor.command("test"))
    headers = {"Authorization": f"Bearer {token}"}
    operation = Operation.objects.create(action="retry", selection_words="x", state="running")
    path = f"/admin/api/operations/{operation.pk}"
    with (
        ThreadPoolExecutor(WAITERS) as pool,
        web_server(WEB_PROCESSES="1", WEB_THREADS="1", REDRIVE_API_WAITERS=str(WAITERS)) as web,
    ):
        waiting: list[Future[httpx.Response]] = []

        def full() -> bool:
            # The one that tries may have taken the place of another, which is then refused.
            waiting[:] = [future for future in waiting if not future.done()]
            while len(waiting) < WAITERS:
                waiting.append(pool.submit(ask, web, f"{path}?wait=60", headers))
            answer = ask(web, f"{path}?wait=1", headers)
            return answer.headers["Retry-After"] == "2"

        wait_until(full, timeout=30, what="no more may wait")
        assert ask(web, path, headers).status_code == 200, "by the only thread"
        assert not any(future.done() for future in waiting)
        begun = time.monotonic()
        web.stop()
        answers = [future.result(30) for future in waiting]
        assert time.monotonic() - begun < 9, "before the patience of a shutdown is over"
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["state"] for answer in answers} == {"running"}
