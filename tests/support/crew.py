"""``python -m tests.support.crew QUEUE N``: a pool that replaces killed workers at once.

For stories in which workers are killed so often that starting Python would be all they tell.
"""

import sys

import django


def main(queue: str, processes: str) -> None:
    django.setup()
    from retry.worker import pool

    pool._FIRST_PAUSE = pool._LONGEST_PAUSE = 0.0
    pool.run_pool(queue, processes=int(processes))


if __name__ == "__main__":
    main(*sys.argv[1:])
