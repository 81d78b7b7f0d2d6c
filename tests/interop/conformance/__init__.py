"""What every implementation must do, as scenarios to run against a live one.

Rules
- A scenario is a function whose name is a sentence; it takes the world and asserts. The log is read last.
- `check_service` and `check_provider` run all and gather what failed; a test module may as well parametrise the lists.

>>> [scenario.name for scenario in service_scenarios() if "lost_ping" in scenario.name]
['a_lost_ping_costs_only_time']
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.interop.conformance import circle_cases, engine_cases, envelope_cases, log_cases, provider_cases
from tests.interop.conformance.base import Scenario
from tests.interop.world import ProviderWorld, World


@dataclass(frozen=True)
class Outcome:
    """How a scenario went; `problem` is empty where it holds."""

    name: str
    seconds: float
    problem: str = ""


def service_scenarios(*, slow: bool = False) -> list[Scenario[World]]:
    """All that a service must do, the log last."""
    parts = (envelope_cases, engine_cases, circle_cases, log_cases)
    gathered = [scenario for part in parts for scenario in part.GATHERING.scenarios]
    return [scenario for scenario in gathered if slow or not scenario.slow]


def first_of_each(scenarios: Iterable[Scenario[World]], every: str = "every_kind") -> list[Scenario[World]]:
    """The first case of every scenario, and all cases of those whose name begins with a word, in their order."""
    first: dict[str, Scenario[World]] = {}
    for scenario in scenarios:
        bare = scenario.name.partition("[")[0]
        first.setdefault(scenario.name if bare.startswith(every) else bare, scenario)
    return list(first.values())


def provider_scenarios() -> list[Scenario[ProviderWorld]]:
    """All that a provider must do."""
    return list(provider_cases.GATHERING.scenarios)


def run_for_service(scenario: Scenario[World], world: World) -> None:
    """One scenario, and what it left open taken away."""
    try:
        scenario.run(world)
    finally:
        world.tidy()


def run_side_by_side(scenarios: Iterable[Scenario[World]], world: World) -> dict[str, Outcome]:
    """How each went; several at a time, since a scenario mostly waits; the slow first, the log last."""
    chosen = sorted(scenarios, key=lambda scenario: not scenario.slow)
    of_the_log = {scenario.name for scenario in log_cases.GATHERING.scenarios}

    def run(scenario: Scenario[World]) -> None:
        run_for_service(scenario, world.beside())

    first = run_together([scenario for scenario in chosen if scenario.name not in of_the_log], run)
    return first | run_together([scenario for scenario in chosen if scenario.name in of_the_log], run)


def run_together(
    scenarios: Iterable[Scenario[Any]], run: Callable[[Scenario[Any]], None], threads: int = 12
) -> dict[str, Outcome]:
    """How each went, in this order of beginning, so many at a time."""
    with ThreadPoolExecutor(threads) as pool:
        return {outcome.name: outcome for outcome in pool.map(lambda scenario: _outcome(scenario, run), scenarios)}


def check_service(
    world: World, *, slow: bool = False, only: str = "", tell: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Run all scenarios whose name holds a word; what failed."""
    chosen = [s for s in service_scenarios(slow=slow) if only in s.name]
    return _run_all(chosen, lambda scenario: run_for_service(scenario, world), tell)


def check_provider(
    world: ProviderWorld, *, only: str = "", tell: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Run all scenarios whose name holds a word; what failed."""
    chosen = [s for s in provider_scenarios() if only in s.name]
    return _run_all(chosen, lambda scenario: scenario.run(world), tell)


def _run_all(
    scenarios: Iterable[Scenario[Any]], run: Callable[[Scenario[Any]], None], tell: Callable[[Outcome], None]
) -> list[Outcome]:
    failed = []
    for scenario in scenarios:
        outcome = _outcome(scenario, run)
        tell(outcome)
        if outcome.problem:
            failed.append(outcome)
    return failed


def _outcome(scenario: Scenario[Any], run: Callable[[Scenario[Any]], None]) -> Outcome:
    began, problem = time.monotonic(), ""
    try:
        run(scenario)
    except Exception:  # noqa: BLE001 - the next scenario is to run whatever happened in this one
        problem = traceback.format_exc(limit=-4) + (f"Reading: {scenario.reading}\n" if scenario.reading else "")
    return Outcome(scenario.name, time.monotonic() - began, problem)
