"""What officers decided, taking effect on questions (protocol §4).

Rules
- Who may decide, with how many votes and which reason, is the office's matter; here a decision takes effect.
- `confirm` gives the item to this citizen and takes it from every other claim that had it; `reject` takes it from this
  citizen; `nobody` ends every claim on it.
- `reopen` takes a decision back for all claims that it touched; they lie with the office again, and are disputed where
  more than one of them is proven by its citizen.
- `unfreeze` ends a freeze: every item of the question then waits for its own decision. `dispute` opens a dispute on an
  item that has ended.

Example: `officer_outcome(unit, 7, item_id, "confirm")`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from confirm_api import question as life
from confirm_api.errors import OfficeError
from confirm_api.question import Question
from confirm_api.service.world import World
from confirm_api.unit import Unit


def officer_outcome(unit: Unit, question_no: int, item_id: str | None, action: str) -> None:
    """Let a decision take effect; without `item_id`, on every item of the question that lies with the office."""
    act = _ACTIONS.get(action)
    if act is None:
        raise OfficeError(f"Không có quyết định nào tên là '{action}'.")
    world = World.load(unit, nos=[question_no])
    if question_no not in world.current:
        raise OfficeError("Không tìm thấy câu hỏi của hồ sơ này.")
    for one in _items(world.of(question_no), item_id):
        act(world, question_no, one)
    world.finish()


def _items(question: Question, item_id: str | None) -> list[str]:
    if item_id is not None:
        return [item_id]
    return [item.item_id for item in question.items if item.state in {life.OFFICE, life.DISPUTED}]


def _confirm(world: World, no: int, item_id: str) -> None:
    _take_from_others(world, no, item_id)
    world.change(no, life.confirm(world.of(no), item_id))


def _take_from_others(world: World, no: int | None, item_id: str) -> None:
    for other in world.candidates(item_id):
        if other != no and world.of(other).item(item_id).takes:
            world.change(other, life.reject(world.of(other), item_id))


def _reject(world: World, no: int, item_id: str) -> None:
    world.change(no, life.reject(world.of(no), item_id))


def _nobody(world: World, _no: int, item_id: str) -> None:
    _take_from_others(world, None, item_id)
    for other in world.candidates(item_id):
        world.change(other, life.supersede(world.of(other), item_id))


def _reopen(world: World, no: int, item_id: str) -> None:
    others = [other for other in world.candidates(item_id) if world.of(other).item(item_id).decided is not None]
    for one in {no, *others}:
        world.change(one, life.reopen(world.of(one), item_id))


def _dispute(world: World, no: int, item_id: str) -> None:
    world.change(no, life.dispute(world.of(no), item_id))


def _unfreeze(world: World, no: int, _item_id: str) -> None:
    world.change(no, life.unfreeze(world.of(no)))


_ACTIONS: Mapping[str, Callable[[World, int, str], None]] = {
    "confirm": _confirm,
    "reject": _reject,
    "nobody": _nobody,
    "reopen": _reopen,
    "dispute": _dispute,
    "unfreeze": _unfreeze,
}
