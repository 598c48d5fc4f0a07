"""``python -m tests.support.small_steps N``: a dispatcher that starts N entries in a transaction.

For stories about what happens between transactions, which would need thousands of entries each.
"""

import sys

import django


def main(entries: str) -> None:
    django.setup()
    from django.core.management import call_command

    from retry.dispatcher import pacing

    pacing.BATCH_ENTRIES = int(entries)
    call_command("dispatcher")


if __name__ == "__main__":
    main(*sys.argv[1:])
