"""Where the servers of the kill rounds come from: a process that has imported everything, and forks one at each word.

python -m benchmarks.tools.kill_process serve|vneid-sim SETTINGS READY_FILE [PORT]

Rules
- A child is the service or the simulator as `quychu serve` and `quychu vneid-sim` run them; only the imports come
  before. A restart costs a tenth of a second and not three, so that hundreds of them can be afforded.
- A line on standard input names a failpoint or is empty, and begins a child. Two lines come back: its process id at
  once, its exit code (minus the signal) when it is gone.
- Whoever started us gone, we are gone, and the child with us.
- Waits are shortened, nothing else: the schedule of tries, the claim of a killed worker, the grace of a question whose
  time is over. With the real ones two hundred rounds would take months.

Worked example: the line `fetch:2` begins a service that dies when it has fetched its second reply.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SCHEDULE_SECONDS = (0, 1, 1, 2, 2, 2, 3, 3, 3, 3)
CLAIM_SECONDS = 3
GRACE_SECONDS = 3
IDLE_SECONDS = 0.1
_DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux."""


def main() -> None:
    """Import, then fork at each word."""
    name, settings, ready_file, *rest = sys.argv[1:]
    run = {"serve": _service, "vneid-sim": _provider}[name](Path(settings), Path(ready_file), *map(int, rest))
    _die_with_parent()
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _be_a_server()
            run(line.strip())
            sys.exit(0)
        _say(child)
        _, status = os.waitpid(child, 0)
        _say(os.waitstatus_to_exitcode(status))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _be_a_server() -> None:
    """Nothing to read, everything said into the log, and an end with the parent's."""
    _die_with_parent()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def _service(settings: Path, ready_file: Path, port: int | None = None) -> Callable[[str], None]:
    from confirm_api import commands, failpoints, outbox, serve  # noqa: PLC0415 - only what this process is

    _shorten(outbox, serve)

    def run(failpoint: str) -> None:
        failpoints._ARMED = failpoints.armed(failpoint)  # noqa: SLF001 - the variable was read at the import
        more = [] if port is None else ["--port", str(port)]
        commands.serve.main(["--config", str(settings), "--ready-file", str(ready_file), *more])

    return run


def _shorten(outbox: Any, serve: Any) -> None:
    """Put shorter waits in the place of those that no settings file may shorten."""
    outbox.SCHEDULE_SECONDS, outbox.GRACE_SECONDS = SCHEDULE_SECONDS, GRACE_SECONDS
    load = serve.load

    def hurried(path: Path) -> Any:
        found = load(path)
        told = found.worker.model_copy(update={"claim_seconds": CLAIM_SECONDS, "idle_seconds": IDLE_SECONDS})
        return found.model_copy(update={"worker": told})

    serve.load = hurried


def _provider(settings: Path, ready_file: Path) -> Callable[[str], None]:
    import uvicorn  # noqa: F401, PLC0415 - imported before the fork

    from confirm_api.vneid_sim import app, commands  # noqa: F401, PLC0415 - as above

    def run(_nothing: str) -> None:
        commands.vneid_sim.main(["--config", str(settings), "--ready-file", str(ready_file)])

    return run


if __name__ == "__main__":
    main()
