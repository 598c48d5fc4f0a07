"""``python -m bench.webhooks``: many webhooks, a receiver that fails, workers that are killed.

A long form of ``tests/faults/test_webhooks.py``, with the same checks and printed figures. Needs
DATABASE_URL and REDIS_URL, and deletes everything there: run it as
``python -m tools.embedded --temporary -- python -m bench.webhooks``.
"""

import argparse
import os
from collections import Counter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
os.environ.setdefault("REDRIVE_ROLE", "command")
os.environ.setdefault("LOG_LEVEL", "WARNING")


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from retry import queue
    from tests.support.deliveries import FAILING, WORKERS, deliver

    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="payloads (default: 10000)")
    parser.add_argument("--kills", type=int, default=40, help="of workers (default: 40)")
    parser.add_argument("--seconds", type=float, default=1_800, help="time limit (default: 1800)")
    parser.add_argument("--seed", type=int, default=1, help="of the receiver's failures")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    queue.get_client().flushdb()
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE entries_entry, entries_attempt, entries_endpoint, retry_run,"
            " retry_operation, retry_auditevent CASCADE"
        )
    story = deliver(options.count, kills=options.kills, seconds=options.seconds, seed=options.seed)
    story.check()
    often = Counter(len(deliveries) for deliveries in story.by_number.values())
    print(f"{story.entries:,} payloads, {WORKERS} workers, {FAILING:.0%} of deliveries fail")
    print(f"all arrived, were accepted and succeeded: yes, in {story.seconds:.0f} s")
    print(f"deliveries received: {len(story.deliveries):,}, all signatures verified")
    print(f"  of them repeats: {story.repeats:,}, each under the key of the first")
    print(f"connections closed unread: {story.unread:,}")
    print(f"workers killed in the middle of a delivery: {story.kills}, attempts lost: {story.lost}")
    print(f"payloads by deliveries: {dict(sorted(often.items()))}")


if __name__ == "__main__":
    main()
