"""The circle rehearsed over real HTTP: questions out, simulated citizens answer in their app, answers in.

Rules
- The service and the provider are other processes; this one is the engine, and plays the citizens through the
  provider's driver API. What a citizen knows stays on the citizens' side: the engine hears answers alone.
- Citizens answer at once: a rehearsal has no days. Who never answers is withdrawn when all others have spoken, as a
  question that expires would end, so that the next candidate is asked.
- It ends when every accepted item has an outcome, or when nothing moves any more.

Worked example: `rehearse_run(run, citizens)` leaves `answers.parquet` in the run folder.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from confirm_api.vneid_sim import driver
from exchange.transport import Client
from quychu.circle.channel import Channel
from quychu.circle.conversation import (
    Caller,
    begin_rehearsal,
    collect_answers,
    open_items,
    post_questions,
    withdraw_questions,
)
from quychu.circle.settings import load
from quychu.circle.world import lay_out, running
from quychu.citizens import Citizens, Reply, Shown

QUIET_SECONDS = 4.0
"""Nothing asked and nothing answered for so long: whoever has not spoken will not."""
_PAUSE_SECONDS = 0.25
_SILENT = "Công dân không trả lời"


@dataclass
class Crowd:
    """All citizens with the app in their hands: says what each answers, and remembers who said nothing."""

    citizens: Citizens
    silent: set[str] = field(default_factory=set)
    asked: int = 0

    def decide(self, request: Mapping[str, Any]) -> Sequence[Mapping[str, Any]] | str | None:
        """What the citizen of a request does, as the driver takes it."""
        self.asked += 1
        shown = [Shown(item["item_id"], **_challenge(item["challenge"])) for item in request["items"]]
        reply = self.citizens.reply(request["citizen_id"], shown, attempt=request["attempt"])
        if reply is None:
            self.silent.add(request["question_id"])
            return None
        return driver.DECLINE if reply.declined else _answers(reply)


def _challenge(challenge: Mapping[str, Any]) -> dict[str, Any]:
    return {"challenge": challenge["kind"], "length": challenge["length"]}


def _answers(reply: Reply) -> list[dict[str, Any]]:
    return [
        {"item_id": said.item_id, "verdict": said.verdict, "challenge_response": said.challenge_response}
        for said in reply.answers
    ]


def rehearse_run(
    run: Path,
    citizens: Citizens,
    *,
    place: Path | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> pl.DataFrame:
    """`rehearse` in a world of its own, kept in `place`, or gone afterwards."""
    begin_rehearsal(run)
    with ExitStack() as stack:
        folder = place or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        world = lay_out(folder)
        settings = load(world.circle_config)
        servers, client = stack.enter_context(running(world)), stack.enter_context(Client())
        channel = Channel(settings.own(), settings.peer(), client, settings.patience_seconds)
        return rehearse(channel, servers.driver(), run, citizens, progress=progress)


def rehearse(
    caller: Caller,
    ready: str,
    run: Path,
    citizens: Citizens,
    *,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> pl.DataFrame:
    """Post the run's questions, let the citizens answer, collect; `ready` is the provider's ready file."""
    crowd, over, faults = Crowd(citizens), threading.Event(), list[BaseException]()

    def answer() -> None:
        try:
            driver.run(driver.DriverClient.of_ready_file(ready), crowd.decide, until=over.is_set)
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits for it
            faults.append(error)

    thread = threading.Thread(target=answer, name="citizens")
    thread.start()
    try:
        post_questions(caller, run)
        answers = _listen(caller, run, crowd, faults, progress)
    finally:
        over.set()
        thread.join()
    if faults:
        raise faults[0]
    return answers


def _listen(
    caller: Caller,
    run: Path,
    crowd: Crowd,
    faults: list[BaseException],
    progress: Callable[[int, int], None],
) -> pl.DataFrame:
    """Collect until all is said; whoever stays silent is withdrawn when nothing else moves."""
    withdrawn: set[str] = set()
    moved, last = time.monotonic(), (-1, -1)
    while True:
        answers = collect_answers(caller, run, progress=progress)
        waiting = open_items(run)
        now = (answers.height, crowd.asked)
        if now != last:
            moved, last = time.monotonic(), now
        if waiting.height == 0 or faults:
            return answers
        if time.monotonic() - moved > QUIET_SECONDS:
            ids = sorted(crowd.silent - withdrawn) or waiting["question_id"].unique(maintain_order=True).to_list()
            if not set(ids) - withdrawn:
                return answers
            withdraw_questions(caller, ids, _SILENT)
            withdrawn.update(ids)
            moved = time.monotonic()
        time.sleep(_PAUSE_SECONDS)
