"""A gunicorn worker that serves with waitress; gunicorn manages the processes."""

import logging
import os
import socket
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments

if TYPE_CHECKING:
    from config.web.server import Map, Server

_TICK_SECONDS = 1.0


class BufferedWorker(Worker):
    """For ``--worker-class config.web.worker.BufferedWorker``; ``--threads`` serve the desk."""

    def init_process(self) -> None:
        self.servers: list[Server] = []
        super().init_process()

    def run(self) -> None:
        # Gunicorn's first process imports this module, without Django being set up.
        from django.conf import settings

        from config.web import limits, memory
        from config.web.server import Dispatcher, TcpServer, UnixServer
        from retry.api.http.watch import watch

        # It would log a warning for every request that waits for a thread.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        memory.settle()
        polled: Map = {}
        dispatcher = Dispatcher(threads=self.cfg.threads, waiters=settings.REDRIVE_API_WAITERS)
        adjustments = _adjustments(
            backlog=self.cfg.backlog,
            connection_limit=limits.CONNECTIONS,
            max_request_header_size=limits.HEADER_BYTES,
            inbuf_overflow=limits.IN_MEMORY_BYTES,
        )
        budget = limits.Budget(limits.BODIES_BYTES)
        for listening in (each.sock for each in self.sockets):
            make = UnixServer if listening.family == socket.AF_UNIX else TcpServer
            server = make(
                self.wsgi,
                polled,
                _sock=listening,
                dispatcher=dispatcher,
                adj=adjustments,
                sockinfo=(listening.family, listening.type, listening.proto, None),
                bind_socket=False,
            )
            server.budget = budget
            self.servers.append(server)
        while self.alive and self.ppid == os.getppid():
            self.notify()
            wasyncore.loop(_TICK_SECONDS, use_poll=True, map=polled, count=1)
        watch.close()
        self._finish(polled)
        dispatcher.shutdown()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        for server in self.servers:
            server.pull_trigger()

    def _finish(self, polled: "Map") -> None:
        """Answer what has been received, and accept nothing more."""
        for server in self.servers:
            server.accepting = False
        deadline = time.monotonic() + self.cfg.graceful_timeout
        while time.monotonic() < deadline and any(map(_is_busy, self.servers)):
            self.notify()
            wasyncore.loop(0.1, use_poll=True, map=polled, count=1)


def _is_busy(server: "Server") -> bool:
    return any(not channel.waits for channel in server.active_channels.values())


def _adjustments(**more: Any) -> Adjustments:
    return Adjustments(
        ident=None,
        asyncore_use_poll=True,
        cleanup_interval=1,
        # config.web.proxies handles what proxies send.
        clear_untrusted_proxy_headers=False,
        **more,
    )
