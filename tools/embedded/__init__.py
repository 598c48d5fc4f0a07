"""A real PostgreSQL and a real Redis around one command, for development, demo and tests.

Nothing here imports Django: the servers have to run before the settings are read.
"""

from tools.embedded.errors import EmbeddedError, FolderInUseError
from tools.embedded.postgres import PostgresServer
from tools.embedded.redis import RedisServer

__all__ = ["EmbeddedError", "FolderInUseError", "PostgresServer", "RedisServer"]
