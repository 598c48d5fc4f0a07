"""A mail server on this machine that answers as a test tells it to."""

import socketserver
import threading
from typing import Self


class SmtpServer:
    """``refusals``: a command in capitals -> its answer, such as ``RCPT`` -> ``550 unknown``.

    ``mails``: what it has accepted, as text. With ``silent`` it never says a word.
    """

    def __init__(self, *, silent: bool = False, refusals: dict[str, str] | None = None) -> None:
        self.mails: list[str] = []
        self._silent = silent
        self._refusals = refusals or {}
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        smtp = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                if smtp._silent:
                    smtp._closing.wait(30)
                    return
                self.wfile.write(b"220 ready\r\n")
                for line in self.rfile:
                    command = line[:4].decode().upper()
                    refusal = smtp._refusals.get(command)
                    if refusal is None and command == "DATA":
                        self.wfile.write(b"354 go on\r\n")
                        smtp.mails.append(self._read_mail())
                    answer = refusal or ("221 bye" if command == "QUIT" else "250 ok")
                    self.wfile.write(f"{answer}\r\n".encode())
                    if command == "QUIT":
                        return

            def _read_mail(self) -> str:
                lines = []
                for line in self.rfile:
                    if line == b".\r\n":
                        break
                    lines.append(line.decode())
                return "".join(lines)

        return Handler


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
