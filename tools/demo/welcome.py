"""The box that shows where everything is."""

import shlex

from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tools.demo.options import USER, Options


def show(options: Options, console: Console, *, entry_id: int) -> None:
    places = Table.grid(padding=(0, 2))
    places.add_row("Admin", Text(f"{options.site}/admin/", "bold link"))
    places.add_row("Login", Text(f"{USER} / {USER}, or with fewer rights anna / anna, ben / ben"))
    places.add_row("Upstream", f"{options.upstream}/ (broken until you repair it there)")
    places.add_row("Mailbox", f"{options.mailbox}/ (notices, as mails and as a chat gets them)")
    places.add_row("Logs", Text(str(options.logs)))
    places.add_row("Stop", "Ctrl-C")
    console.print(Panel(places, title="Redrive is running", box=box.ROUNDED, expand=False))
    # Outside the box and never wrapped, so that they can be copied.
    repair = f"curl -X POST {options.upstream}/repair"
    retry = (
        f"curl -X POST {options.site}/admin/api/retry "
        f'-H "Authorization: Bearer $(cat {shlex.quote(str(options.token_file))})" '
        "-H 'Content-Type: application/json' "
        f"""-d '{{"entry_id": {entry_id}, "reason": "the upstream is repaired"}}'"""
    )
    move = f"curl -X POST {options.upstream}/move"
    for title, command in (
        ("Repair the upstream:", repair),
        ("Retry one entry:", retry),
        ("Give the missing pages new addresses, which Resync picks up and Retry does not:", move),
    ):
        console.print(Group(Text(title, "bold"), Text(f"  {command}")), soft_wrap=True)
