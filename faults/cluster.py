"""``python -m faults.cluster FOLDER``: a migrated PostgreSQL, stopped, for scenarios to copy.

Making one takes longer than many a scenario.
"""

import os
import subprocess
import sys
from pathlib import Path

from tools.embedded import PostgresServer, RedisServer

#: Of every scenario; what is missing has its default.
ENVIRONMENT = {
    "REDRIVE_ENV": "development",
    "SECRET_KEY": "only-for-fault-scenarios" * 3,
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "REDRIVE_KIND_MODULES": "faults.kinds",
    "LOG_LEVEL": "INFO",
}


def copy(cluster: Path, target: Path) -> None:
    """Copy it with its owner and modes, without which PostgreSQL refuses it."""
    subprocess.run(["cp", "-a", cluster, target], check=True)


def set_up(postgres: PostgresServer, redis: RedisServer) -> None:
    """Start both, and set Django up on them."""
    postgres.start()
    redis.start()
    os.environ |= ENVIRONMENT | {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url}
    import django

    django.setup()


def migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def main(folder: Path) -> None:
    postgres = PostgresServer(folder / "postgres", durable=False)
    redis = RedisServer(folder / "redis", durable=False)
    try:
        set_up(postgres, redis)
        migrate()
    finally:
        redis.stop()
        postgres.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
