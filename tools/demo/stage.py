"""python -m tools.demo.stage: fill the demo at its first start, in one process.

A line on standard output for each part that is done.
"""

import argparse
from pathlib import Path

import django

#: Begins the lines that say which part is done.
PART = "done: "


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.demo.stage", description=__doc__)
    parser.add_argument("--upstream", required=True, help="its address")
    parser.add_argument("--entries", type=int, required=True, help="pages of the upstream")
    parser.add_argument("--token-file", type=Path, required=True)
    options = parser.parse_args()
    django.setup()

    from django.contrib.auth.models import User

    from retry import service
    from retry.management.account import find_account
    from retry.outcomes import Actor
    from tools.demo.deliveries import add_endpoints
    from tools.demo.history import add_history
    from tools.demo.options import USER, write_private
    from tools.demo.people import add_people
    from tools.demo.scene import SOURCE, Scene

    operator = Actor.command(find_account())
    admin = User.objects.get(username=USER)
    write_private(options.token_file, service.create_token(admin, name="demo", actor=operator))
    add_people(actor=operator)
    add_endpoints(options.upstream, actor=operator)
    print(f"{PART}Adding people and endpoints", flush=True)
    add_history(source=SOURCE, upstream=options.upstream)
    scene = Scene.begin(options.entries)
    scene.fetch()
    print(f"{PART}Syncing the source {SOURCE}", flush=True)
    scene.act()
    print(f"{PART}Setting the scene", flush=True)


if __name__ == "__main__":
    main()
