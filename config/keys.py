"""The keys: what signs sessions and links, and what encrypts secrets in the database.

Both can be rotated: put the new key in place and the old one behind it.
"""

from config.env import Environment, env, read_environment, require

SECRET_KEY = (
    "only-for-tests" * 5
    if read_environment() is Environment.TEST
    else require("SECRET_KEY", hint="Set it to 50 random characters or more, and keep it.")
)
#: Former keys, whose sessions, links and encrypted secrets still count.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
