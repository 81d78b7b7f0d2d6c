"""What is remembered is few and young."""

from __future__ import annotations

import pytest

from confirm_api.store.recent import Recent


@pytest.fixture
def memory(clock):
    return Recent[str, int](size=2, seconds=60, clock=clock)


def test_a_value_is_known_until_its_time_has_passed(memory, clock):
    memory.put("a", 1)
    clock.move(59)
    assert memory.get("a") == 1
    clock.move(1)
    assert memory.get("a") is None


def test_use_does_not_lengthen_a_life(memory, clock):
    memory.put("a", 1)
    for _ in range(60):
        memory.get("a")
        clock.move(1)
    assert memory.get("a") is None


def test_the_one_used_longest_ago_goes_first(memory):
    memory.put("a", 1)
    memory.put("b", 2)
    memory.get("a")
    memory.put("c", 3)
    assert [memory.get(name) for name in "abc"] == [1, None, 3]


def test_a_value_is_forgotten_by_its_key_and_by_itself(memory):
    memory.put("a", 1)
    memory.put("b", 2)
    memory.forget("a")
    memory.forget_value(2)
    assert len(memory) == 0
