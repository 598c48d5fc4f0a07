"""``python -m bench [NAME…]``: measure side by side in one run, and print ratios.

Needs DATABASE_URL and REDIS_URL, and deletes everything there (``make bench`` starts servers of its
own).
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
os.environ.setdefault("REDRIVE_ROLE", "command")
os.environ.setdefault("REDRIVE_KIND_MODULES", "bench.kinds")
os.environ.setdefault("LOG_LEVEL", "WARNING")

NAMES = (
    *("single_retry", "bulk_queueing", "draining", "waiting", "scale", "lists", "error_groups"),
    *("retention", "thousand_workers", "dispatcher_steps"),
)
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
#: For what does not stand there.
PAGES = dict.fromkeys(("thousand_workers", "dispatcher_steps"), PAGE.with_name("scale.md"))


def main() -> None:
    import django

    from bench.processes import WAITING

    os.environ.update(WAITING)
    django.setup()
    from django.core.management import call_command

    from bench import (
        dispatcher_steps,
        error_groups,
        lists,
        machine,
        queue_throughput,
        retention,
        scale,
        single_retry,
        thousand_workers,
        wait_throughput,
        worker_throughput,
    )
    from bench.report import Report, store

    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=1000, help="pairs of single retries")
    parser.add_argument(
        "--entries", type=int, default=wait_throughput.ENTRIES, help="waiting: entries of each turn"
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="scale: a million entries; lists: ten million; retention: a million attempts",
    )
    parser.add_argument("--markdown", action="store_true", help=f"also write {PAGE.name}")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    draws_waiting = options.markdown and not machine.inspect().durable
    measurements: dict[str, Callable[[], Report]] = {
        "single_retry": lambda: single_retry.main(rounds=options.rounds),
        "bulk_queueing": queue_throughput.main,
        "draining": worker_throughput.main,
        "waiting": lambda: wait_throughput.main(entries=options.entries, draw=draws_waiting),
        "scale": lambda: scale.main(full=options.full, draw=options.full and options.markdown),
        "lists": lambda: lists.main(full=options.full),
        "error_groups": error_groups.main,
        "retention": lambda: retention.main(full=options.full),
        "dispatcher_steps": dispatcher_steps.main,
        "thousand_workers": lambda: thousand_workers.main(draw=options.markdown),
    }
    call_command("migrate", verbosity=0)
    for name in options.names or NAMES:
        found = machine.inspect()
        report = measurements[name]()
        report.print()
        if options.markdown:
            page = PAGES.get(name, PAGE)
            text = page.read_text()
            text = store(text, name=name, report=report.markdown(found), machine=found)
            page.write_text(text)


if __name__ == "__main__":
    main()
