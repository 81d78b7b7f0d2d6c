"""Several processes on one listening socket, and a parent that keeps their number.

Rules
- A child that dies, by whatever cause, is replaced; one that dies within `SETTLED_SECONDS` of its start only after a
  pause, so that a fault at the start does not burn the processor.
- SIGTERM and SIGINT to the parent are passed on; it ends when its children have ended.
- A parent that is killed takes its children with it: each child holds the reading end of a pipe whose writing end only
  the parent has, and ends in order when that closes.

Example: `Processes([sys.executable, "-m", "confirm_api.serve"], 2, listener).run()`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from threading import Event, Thread

from confirm_api import logs

SETTLED_SECONDS = 5.0
LOOK_SECONDS = 0.2
STOP_SECONDS = 60.0
"""Longer than a child's own grace; then it is killed."""


class Processes:
    """The parent's side."""

    def __init__(self, command: Sequence[str], count: int, listener: socket.socket) -> None:
        self._command, self._count, self._listener = list(command), count, listener
        self._children: list[tuple[subprocess.Popen[bytes], float]] = []
        self._stop = Event()

    def run(self) -> None:
        """Keep `count` children until told to stop."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self._stop.set())
        while not self._stop.is_set():
            self._keep()
            self._stop.wait(LOOK_SECONDS)
        self._end()

    def _keep(self) -> None:
        now = time.monotonic()
        for child, began in self._children:
            if child.poll() is not None:
                logs.get().error("worker process ended", state=str(child.returncode))
                self._stop.wait(max(0.0, began + SETTLED_SECONDS - now))
        self._children = [(child, began) for child, began in self._children if child.returncode is None]
        while len(self._children) < self._count and not self._stop.is_set():
            self._children.append((self._start(), time.monotonic()))

    def _start(self) -> subprocess.Popen[bytes]:
        number = self._listener.fileno()
        os.set_inheritable(number, True)
        command = [*self._command, str(number)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[number])  # noqa: S603 - our own module

    def _end(self) -> None:
        for child, _ in self._children:
            child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child, _ in self._children:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def end_with_parent() -> None:
    """The child's side: end in order once the parent is gone."""

    def wait() -> None:
        os.read(0, 1)  # not through sys.stdin: its lock would be missed when the process ends first
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=wait, name="parent", daemon=True).start()
