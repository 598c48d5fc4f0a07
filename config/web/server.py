"""Waitress, with a time limit for every request and a thread kept free for probes.

Its main loop reads each request whole before a thread gets it: a client that sends nothing, or a
byte now and then, costs a socket and no thread. Here each request also has a deadline, a limit on
its body by its address, and a share of a common budget, all set before the body is read.
"""

import copy
import time
from functools import partial
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer, TcpWSGIServer, UnixWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.utilities import BadRequest, Error

from config.web import limits
from entries.request_ids import HEADER, choose_id
from retry.api.http.problems import Problem, page_problem, path_under_api
from retry.api.http.watch import watch

PROBES = frozenset({"/healthz", "/readyz"})
#: A probe waits for stores; a waiting one must not delay the next.
PROBE_THREADS = 2


class Busy(Error):
    code = 503
    reason = "Service Unavailable"


class Request(HTTPRequestParser):
    """A request while it is read."""

    adj: Any

    def __init__(self, adj: Any, *, budget: limits.Budget) -> None:
        super().__init__(adj)
        self.deadline = time.monotonic() + limits.HEADER_SECONDS
        self._budget = budget
        self._taken = 0

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        limit = limits.body_limit(self.path, self.query)
        self.adj = copy.copy(self.adj)
        self.adj.max_request_body_size = limit.most_bytes
        # The size of a chunked body is unknown, so it counts as the most it may be.
        expected = limit.most_bytes if self.chunked else self.content_length
        expected = min(expected, limit.most_bytes)
        self.deadline = time.monotonic() + limits.BODY_SECONDS
        self.deadline += expected / limits.BODY_BYTES_PER_SECOND
        if limit.signed or not expected:
            return
        if self._budget.take(expected):
            self._taken = expected
        else:
            self.error = Busy("Too much is being received at the moment; try again.")
            self.completed = True

    def break_off(self) -> None:
        self.error = BadRequest("The body broke off.")
        self.completed = True

    def close(self) -> None:
        super().close()
        taken, self._taken = self._taken, 0
        self._budget.give_back(taken)


class Refusal(ErrorTask):
    """Refuse a request before the desk sees it: a problem under the API, a line elsewhere."""

    def execute(self) -> None:
        error = self.request.error
        given = str(getattr(self.request, "headers", {}).get("X_REQUEST_ID", ""))
        self.response_headers.append((HEADER, choose_id(given)))
        if not path_under_api(getattr(self.request, "path", "")):
            super().execute()
            return
        problem = _PROBLEMS[error.code] if error.code in _PROBLEMS else page_problem(error.code)
        response = problem.response()
        self.status = f"{response.status_code} {response.reason_phrase}"
        self.response_headers.extend(response.items())
        self.set_close_on_finish()
        self.content_length = len(response.content)
        self.write(response.content)


_PROBLEMS = {
    400: Problem(400, "malformed_json", "The request is no proper HTTP, or its body broke off."),
    503: Problem(503, "too_busy", headers={"Retry-After": "5"}),
}


class Channel(HTTPChannel):
    """A connection."""

    error_task_class = Refusal
    request: Request | None
    _reading = _broke_off = False

    def __init__(self, server: "Server", *args: Any, **kwargs: Any) -> None:
        self.parser_class = partial(Request, budget=server.budget)
        super().__init__(server, *args, **kwargs)

    def handle_read(self) -> None:
        self._reading = True
        super().handle_read()
        self._reading = False
        if self._broke_off:
            # It has stopped sending and still listens, so it gets an answer.
            self._broke_off, self.connected = False, True
            if (request := self.request) is not None:
                self.request = None
                request.break_off()
                self.requests.append(request)
                self.server.add_task(self)

    def handle_close(self) -> None:
        unfinished = self.request is not None and self.request.headers_finished
        if self._reading and unfinished and not self.requests:
            self._broke_off = True
            return
        if self.request is not None:
            self.request.close()
        super().handle_close()

    @property
    def waits(self) -> bool:
        """No request of it is being handled or answered."""
        return not self.requests and not self.total_outbufs_len

    def is_late(self, now: float) -> bool:
        if not self.waits:
            return False
        if self.request is not None:
            return bool(now > self.request.deadline)
        return bool(time.time() - self.last_activity > limits.IDLE_SECONDS)


class Server(BaseWSGIServer):
    """A listening socket, shared by processes; each accepts what it has room for."""

    channel_class = Channel
    budget: limits.Budget

    def maintenance(self, now: float) -> None:
        super().maintenance(now)
        at = time.monotonic()
        for channel in self.active_channels.values():
            if channel.is_late(at):
                channel.will_close = True
        if len(self.active_channels) >= self.adj.connection_limit * 0.9:
            self._make_room()

    def _make_room(self) -> None:
        waiting = [channel for channel in self.active_channels.values() if channel.waits]
        for channel in sorted(waiting, key=lambda each: each.creation_time)[: len(waiting) // 2]:
            channel.will_close = True


class TcpServer(Server, TcpWSGIServer):
    pass


class UnixServer(Server, UnixWSGIServer):
    pass


class _WaitDispatcher(ThreadedTaskDispatcher):
    def handler_thread(self, thread_no: int) -> None:
        watch.dedicate_thread()
        super().handler_thread(thread_no)


class Dispatcher(ThreadedTaskDispatcher):
    """Hands requests to threads; probes have threads of their own, however busy the others are,
    and so have requests that wait, as many as may.
    """

    def __init__(self, *, threads: int, waiters: int) -> None:
        super().__init__()
        self._probes = ThreadedTaskDispatcher()
        self._probes.set_thread_count(PROBE_THREADS)
        self._waiting = _WaitDispatcher()
        self._waiting.set_thread_count(waiters)
        self.set_thread_count(threads)

    def add_task(self, task: Channel) -> None:
        request = task.requests[0]
        if getattr(request, "path", "") in PROBES:
            self._probes.add_task(task)
        elif _may_wait(request) and _has_room(self._waiting):
            self._waiting.add_task(task)
        else:
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:  # noqa: FBT001, FBT002
        self._probes.shutdown(cancel_pending, timeout=1)
        self._waiting.shutdown(cancel_pending, timeout=1)
        return bool(super().shutdown(cancel_pending, timeout))


def _may_wait(request: Request) -> bool:
    """Tell by its address. One that was taken for another only gets another thread."""
    return path_under_api(getattr(request, "path", "")) and "wait=" in getattr(request, "query", "")


def _has_room(dispatcher: ThreadedTaskDispatcher) -> bool:
    """Where none is left, an ordinary thread answers at once that too many wait."""
    with dispatcher.lock:
        busy = dispatcher.active_count + len(dispatcher.queue)
        return bool(busy < len(dispatcher.threads) - dispatcher.stop_count)


#: The sockets that waitress polls, by number.
Map = dict[int, wasyncore.dispatcher]
