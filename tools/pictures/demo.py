"""A demo on data of its own, for as long as its pictures are taken."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tools.demo.options import ROOT, DemoError, Options, check_ports

#: Of the demo's output, when all is there.
_READY = "Retry one entry"


@contextmanager
def run_demo(environ: Mapping[str, str]) -> Iterator[Options]:
    """Run a demo until the end of the block. Raises DemoError where it ends before it is ready."""
    with tempfile.TemporaryDirectory(prefix="redrive-pictures-") as folder:
        env = {**environ, "DATA_DIR": folder}
        for name in ("DATABASE_URL", "REDIS_URL"):
            env.pop(name, None)
        options = Options.from_environment(env)
        check_ports(options)
        said = Path(folder) / "said"
        with (
            said.open("wb") as output,
            subprocess.Popen(
                [sys.executable, "-m", "tools.demo"],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            try:
                while _READY not in said.read_text(errors="replace"):
                    if process.poll() is not None:
                        raise DemoError(f"The demo ended.\n{said.read_text(errors='replace')}")
                    time.sleep(0.2)
                yield options
            finally:
                process.send_signal(signal.SIGINT)
