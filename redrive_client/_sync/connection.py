"""Sends requests, sends them again where that helps, turns pages, and waits."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import httpx2

from redrive_client.problems import NoAnswer, NotDone
from redrive_client.requests import Attempts, Request, read_answer
from redrive_client.waiting import SPAN, find_address, is_over

_SOON = 1.0


class Connection:
    """A connection to one desk, with the rights of one token.

    ``base_url``: such as ``https://desk.example/admin/api``. ``timeout``: seconds for one request.
    ``patience``: for how many seconds a request is sent again that was refused because the desk or
    its database is busy (429 and 503), or that got no answer.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout: float = 30.0,
        patience: float = 60.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._timeout, self._patience = timeout, patience
        self._http = httpx2.Client(
            base_url=base_url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {token}", "User-Agent": "redrive-client"},
            timeout=timeout,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read what is at ``path``, which appends to the base. Raises ``Problem``, ``NoAnswer``."""
        answer = self._send(Request("GET", path, query=query, repeatable=True))
        return read_answer(answer)

    def post(
        self, path: str, body: Mapping[str, Any], *, key: str = "", repeatable: bool = False
    ) -> dict[str, Any]:
        """Ask for something. ``key``: of idempotency, with which to ask twice is to ask once.

        Raises ``Problem`` and ``NoAnswer``.
        """
        safe = repeatable or bool(key)
        answer = self._send(Request("POST", path, body=body, key=key, repeatable=safe))
        return read_answer(answer)

    def pages(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Yield what a list has, reading a page when it is needed."""
        turned = dict(query or {})
        while True:
            page = self.get(path, turned)
            yield from page["results"]
            if page["next_cursor"] is None:
                return
            turned["cursor"] = page["next_cursor"]

    def wait(
        self,
        thing: Mapping[str, Any] | str,
        *,
        seconds: float | None = None,
        on_progress: Callable[[dict[str, Any]], object] | None = None,
    ) -> dict[str, Any]:
        """Wait until an operation, a run or a sync has ended; and return how it ended.

        Returns an operation as well that is paused or awaits approval: a person has to do something
        first. What is held it waits for, however long: ``held_by`` of the progress says so.
        ``thing``: what the desk answered about it, or its address. After ``seconds``
        ``NotDone`` is raised. ``on_progress`` is called with each new progress.
        """
        address, etag = find_address(thing), ""
        deadline = None if seconds is None else time.monotonic() + seconds
        progress: dict[str, Any] = {}
        while True:
            left = SPAN if deadline is None else min(SPAN, deadline - time.monotonic())
            if left <= 0:
                raise NotDone(progress)
            span = max(1, int(left)) if etag else 0  # the first answer comes at once
            answer = self._send(
                Request(
                    "GET", address, query={"wait": str(span)}, etag=etag, seconds=span,
                    repeatable=True,
                )
            )  # fmt: skip
            if answer.status_code != 304:
                progress, etag = read_answer(answer), answer.headers.get("ETag", "")
                if on_progress is not None:
                    on_progress(progress)
                if is_over(progress):
                    return progress
            if answer.elapsed.total_seconds() < span / 2:
                # It does not wait, because too many others do.
                pause = float(answer.headers.get("Retry-After") or _SOON)
                time.sleep(max(pause, _SOON))

    def _send(self, request: Request) -> httpx2.Response:
        attempts = Attempts(request, self._patience)
        while True:
            try:
                answer = self._http.request(
                    request.method, request.path.lstrip("/"), params=request.query,
                    json=request.body, headers=request.headers(),
                    timeout=self._timeout + request.seconds,
                )  # fmt: skip
            except httpx2.TransportError as error:
                pause = attempts.pause_after_failure()
                if pause is None:
                    raise NoAnswer(f"{self._http.base_url}: {error!r}") from error
            else:
                pause = attempts.pause_after_answer(answer)
                if pause is None:
                    return answer
            time.sleep(pause)
