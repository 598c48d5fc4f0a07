"""What is asked of lists, in the admin and in the API: filters, combinations and searches."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import md5

from django.utils import timezone


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of request: the query of the nth one."""

    name: str
    query: Callable[[int], dict[str, str]]


def _source(n: int) -> dict[str, str]:
    return {"source": f"source-{n * 7 % 20}"}


def _kind(n: int) -> dict[str, str]:
    return {"kind": ("page", "webhook", "noop", "mail", "report")[n % 5]}


def _upstream(n: int) -> dict[str, str]:
    return {"upstream": f"host-{n * 29 % 200}.example"}


def _error_class(n: int) -> dict[str, str]:
    return {"error_class": ("TransientError", "ValueError", "WorkerLost")[n % 3]}


def _fingerprint(n: int) -> dict[str, str]:
    error = n * 43 % 300
    return {"fingerprint": f"1-{md5(f'error {error}'.encode(), usedforsecurity=False).hexdigest()}"}


def _status(name: str) -> Callable[[int], dict[str, str]]:
    return lambda _: {"status": name}


def _search(text: str) -> Callable[[int], dict[str, str]]:
    return lambda _: {"q": text}


def _both(
    *parts: Callable[[int], dict[str, str]],
) -> Callable[[int], dict[str, str]]:
    return lambda n: {name: value for part in parts for name, value in part(n).items()}


_FAILED = _status("failed")
CASES = (
    Case("everything", lambda _: {}),
    *(
        Case(f"status {name}", _status(name))
        for name in (
            "failed",
            "succeeded",
            "pending",
            "queued",
            "scheduled",
            "discarded",
            "running",
        )
    ),
    Case("kind", _kind),
    Case("source", _source),
    Case("upstream", _upstream),
    Case("error class", _error_class),
    Case("fingerprint", _fingerprint),
    Case("gone", lambda _: {"gone": "yes"}),
    Case("failed, kind", _both(_FAILED, _kind)),
    Case("failed, source", _both(_FAILED, _source)),
    Case("failed, upstream", _both(_FAILED, _upstream)),
    Case("failed, error class", _both(_FAILED, _error_class)),
    Case("failed, fingerprint", _both(_FAILED, _fingerprint)),
    Case("failed, source, kind", _both(_FAILED, _source, _kind)),
    Case("failed, source, fingerprint", _both(_FAILED, _source, _fingerprint)),
    Case("failed, upstream, error class", _both(_FAILED, _upstream, _error_class)),
    Case("failed, still in the source", _both(_FAILED, lambda _: {"gone": "no"})),
    Case("succeeded, source", _both(_status("succeeded"), _source)),
    Case("discarded, source", _both(_status("discarded"), _source)),
    Case("scheduled, upstream", _both(_status("scheduled"), _upstream)),
    Case("source, kind", _both(_source, _kind)),
    Case("source, upstream", _both(_source, _upstream)),
    Case("search: a common word", _search("article")),
    Case("search: one of 16 words", _search("HARBOURS")),
    Case("search: a rare word", _search("zeppelin")),
    Case("search: no hit", _search("quetzalcoatl")),
    Case("search: part of an id", lambda n: {"q": str(4_000 + n * 1_013)}),
    Case("search: two letters", _search("qu")),
    Case("search: two letters, no hit", _search("§§")),
    Case("search: #id", lambda n: {"q": f"#{n + 1}"}),
    Case("search: in an error", _search("refused in stage ab")),
    Case("search: a rare error", _search("stage hl")),
    Case("search failed: a rare word", _both(_FAILED, _search("zeppelin"))),
    Case("search failed: a common word", _both(_FAILED, _search("article"))),
    Case("search failed: no hit", _both(_FAILED, _search("quetzalcoatl"))),
    Case("search source: a rare word", _both(_source, _search("zeppelin"))),
    Case("search failed, source: a word", _both(_FAILED, _source, _search("harbours"))),
)
#: Cases that a list of the API can have, and the admin not.
API_ONLY = (
    Case("failed in an hour", _both(_FAILED, lambda n: _since(n, hours=1))),
    Case("failed in a day, source", _both(_FAILED, _source, lambda n: _since(n, hours=24))),
)
PREVIEWS = (
    Case("failed", _FAILED),
    Case("failed, source", _both(_FAILED, _source)),
    Case("failed, fingerprint", _both(_FAILED, _fingerprint)),
    Case("failed, upstream, error class", _both(_FAILED, _upstream, _error_class)),
    Case("source", _source),
    Case("search: a rare word", _search("zeppelin")),
    Case("search: a common word", _search("article")),
    Case("search failed: a rare error", _both(_FAILED, _search("stage hl"))),
)


def _since(n: int, *, hours: int) -> dict[str, str]:
    until = timezone.now() - timedelta(days=n % 80)
    since = until - timedelta(hours=hours)
    return {"failed_after": since.isoformat(), "failed_before": until.isoformat()}
