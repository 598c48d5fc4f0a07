"""Waiting for a child where no orphans can be adopted."""

import os
import subprocess
import sys

import pytest

from tools.embedded import orphans


def test_where_there_is_no_waitid_the_child_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "ON_LINUX", False)
    monkeypatch.delattr(os, "waitid")
    polled: list[None] = []
    program = "import sys; sys.stdin.read(); sys.exit(7)"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE) as child:

        def let_it_end() -> None:
            polled.append(None)
            assert child.stdin is not None
            child.stdin.close()

        assert orphans.wait_and_reap(child, poll_known=let_it_end) == 7
    assert polled
