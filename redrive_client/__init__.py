"""The client of Redrive's JSON API, for scripts: ``Client``, and ``AsyncClient`` for event loops.

    with Client("https://desk.example/admin/api", token) as desk:
        started = desk.retry_many({"status": "failed", "source": "news"}, reason="it is back")
        ended = desk.wait(started, on_progress=lambda at: print(at["succeeded"], "of", at["total"]))

Answers are dictionaries, as docs/api.md shows them. What is refused raises ``Problem`` with the
stable ``code`` of the API.
"""

from redrive_client._async.client import AsyncClient
from redrive_client._sync.client import Client
from redrive_client.problems import NoAnswer, NotDone, Problem
from redrive_client.waiting import has_ended

__all__ = ["AsyncClient", "Client", "NoAnswer", "NotDone", "Problem", "has_ended"]
