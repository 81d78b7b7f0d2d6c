"""Questions, withdrawals and collection against a live service: what needs no citizen."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from tests.interop.conformance.base import QUICK, Gathering, assert_invalid, assert_unacceptable, one_question
from tests.interop.second import wire
from tests.interop.second.engine import QUESTIONS, WITHDRAW, parcel, question
from tests.interop.second.envelope import LARGEST_BODY, Twist, new_id
from tests.interop.second.keys import P256
from tests.interop.second.vneid import Policy
from tests.interop.world import World

T = TypeVar("T")
GATHERING: Final[Gathering[World]] = Gathering()
FULL_BATCH: Final = 200
SLOW_POLICY: Final = Policy(interval=60)


def refusals(receipt: dict[str, Any]) -> dict[str, str]:
    """Why each refused question was refused."""
    return {entry["question_id"]: entry["why"] for entry in receipt["refused"]}


@GATHERING.in_each_suite
def a_question_is_accepted_once_and_is_a_duplicate_ever_after(world: World, suite: str) -> None:
    posted = question(world.citizen(SLOW_POLICY))
    batch_id = new_id()
    world.posted.append(posted["question_id"])
    first = world.engine(suite).post(posted, batch_id=batch_id)
    assert first == {"batch_id": batch_id, "accepted": [posted["question_id"]], "duplicates": [], "refused": []}, first
    again = world.engine(suite).post(posted, batch_id=batch_id)
    assert again == {**first, "accepted": [], "duplicates": [posted["question_id"]]}, again
    other_batch = world.engine(suite).post(posted)
    assert other_batch["duplicates"] == [posted["question_id"]], other_batch


@GATHERING.scenario
def a_batch_posted_again_with_more_takes_the_new_ones(world: World) -> None:
    old, new = question(world.citizen(SLOW_POLICY)), question(world.citizen(SLOW_POLICY))
    world.post(old)
    receipt = world.post(old, new)
    assert (receipt["duplicates"], receipt["accepted"]) == ([old["question_id"]], [new["question_id"]]), receipt


@GATHERING.scenario
def of_equal_messages_at_once_exactly_one_is_taken(world: World) -> None:
    caller = world.caller("engine")
    for _ in range(3):
        sealed = caller.seal("landcollect+jwt", {"after": None, "limit": 1})
        answers = _at_once(lambda sealed=sealed: caller.post("/v1/answers", sealed, "landcollect+jwt"), 4)  # type: ignore[misc]
        assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]


@GATHERING.scenario
def a_question_posted_in_several_messages_at_once_is_accepted_once(world: World) -> None:
    posted = question(world.citizen(SLOW_POLICY))
    receipts = _at_once(lambda: world.post(posted), 4)
    assert sorted(len(receipt["accepted"]) for receipt in receipts) == [0, 0, 0, 1], receipts
    assert sorted(len(receipt["duplicates"]) for receipt in receipts) == [0, 1, 1, 1], receipts


@GATHERING.scenario
def three_asks_hold_for_questions_posted_at_once(world: World) -> None:
    citizen_id = world.citizen(SLOW_POLICY)
    receipts = _at_once(lambda: world.post(question(citizen_id)), 5)
    assert sum(len(receipt["accepted"]) for receipt in receipts) == 3, receipts


def _at_once(run: Callable[[], T], times: int) -> list[T]:
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(lambda _: run(), range(times)))


@GATHERING.for_each(("a good body", 0, True), ("a body beyond the limit", 262_144, False))
def a_body_in_chunks_is_read_as_any_other(world: World, case: tuple[str, int, bool]) -> None:
    caller = world.caller("engine")
    sealed = caller.seal("landcollect+jwt", {"after": None, "limit": 1})
    chunks = [sealed.body[:100], sealed.body[100:] + b"A" * case[1]]
    answer = wire.post_in_chunks(caller.url + "/v1/answers", chunks, "application/jose")
    if case[2]:
        caller.open_answer(sealed, answer, "landanswers+jwt")
    else:
        assert_unacceptable(answer)


@GATHERING.for_each(
    ("other citizen", {"citizen_id": "001080999999"}),
    ("other priority", {"priority": 0.25}),
    ("other parcels", {"parcels": [parcel()]}),
)
def a_known_id_with_other_content_is_a_conflict(world: World, case: tuple[str, dict[str, Any]]) -> None:
    posted = question(world.citizen(SLOW_POLICY))
    world.post(posted)
    receipt = world.post({**posted, **case[1]})
    assert refusals(receipt) == {posted["question_id"]: "conflict"}, receipt


@GATHERING.scenario
def the_same_content_in_another_order_and_spelling_is_the_same(world: World) -> None:
    posted = question(world.citizen(SLOW_POLICY), parcel(area_m2=100))
    world.post(posted)
    shuffled = dict(reversed(posted.items()))
    shuffled["parcels"] = [dict(reversed(entry.items())) for entry in posted["parcels"]]
    shuffled["parcels"][0]["area_m2"] = 100.0
    receipt = world.post(shuffled)
    assert receipt["duplicates"] == [posted["question_id"]], receipt


@GATHERING.scenario
def values_out_of_range_are_invalid_and_the_rest_of_the_batch_is_taken(world: World) -> None:
    twice = parcel()
    bad = {
        "11 digits": question("00108012345"),
        "a letter": question("00108012345A"),
        "priority 2": question(world.citizen(), priority=2),
        "priority below 0": question(world.citizen(), priority=-0.1),
        "no parcels": {**question(world.citizen()), "parcels": []},
        "an item twice": question(world.citizen(), twice, twice),
        "59 s": question(world.citizen(), expires_in=59),
        "more than 30 days": question(world.citizen(), expires_in=2_592_001),
    }
    good = question(world.citizen(SLOW_POLICY))
    receipt = world.post(*bad.values(), good)
    assert receipt["accepted"] == [good["question_id"]], receipt
    found = refusals(receipt)
    assert {name: found.get(q["question_id"]) for name, q in bad.items()} == dict.fromkeys(bad, "invalid"), receipt


@GATHERING.scenario
def values_at_the_edge_of_their_range_are_accepted(world: World) -> None:
    edges = [
        question(world.citizen(SLOW_POLICY), priority=0),
        question(world.citizen(SLOW_POLICY), priority=1),
        question(world.citizen(SLOW_POLICY), expires_in=2_592_000),
        question(world.citizen(SLOW_POLICY), parcel(hamlet="ấ" * 500)),
        question(world.citizen(SLOW_POLICY), *(parcel() for _ in range(5))),
        question(world.citizen(SLOW_POLICY), parcel(**dict.fromkeys(set(parcel()) - {"item_id", "rank"}))),
    ]
    receipt = world.post(*edges)
    assert receipt["accepted"] == [edge["question_id"] for edge in edges], receipt


WRONG_BATCHES: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("citizen_id as a number", {"citizen_id": 1080123456}),
    ("priority as text", {"priority": "0.5"}),
    ("priority as a truth value", {"priority": True}),
    ("expires_in with a point", {"expires_in": 86_400.5}),
    ("expires_in null", {"expires_in": None}),
    ("parcels null", {"parcels": None}),
    ("an unknown field", {"surprise": 1}),
    ("an unknown field in a parcel", {"parcels": [{**parcel(), "surprise": 1}]}),
    ("a parcel without rank", {"parcels": [{k: v for k, v in parcel().items() if k != "rank"}]}),
    ("rank as text", {"parcels": [parcel(rank="1")]}),
    ("area as text", {"parcels": [parcel(area_m2="100")]}),
    ("certificate_year with a point", {"parcels": [parcel(certificate_year=2012.5)]}),
    ("question_id null", {"question_id": None}),
    ("item_id null", {"parcels": [parcel(item_id=None)]}),
)


@GATHERING.for_each(*WRONG_BATCHES)
def a_field_of_the_wrong_type_is_422_for_the_whole_batch(world: World, case: tuple[str, dict[str, Any]]) -> None:
    good, bad = question(world.citizen()), {**question(world.citizen()), **case[1]}
    content = {"batch_id": new_id(), "questions": [good, bad]}
    assert_invalid(world.caller("engine").send(QUESTIONS, "landquestions+jwt", content)[1])
    # Nothing of that batch was taken: the same id is new.
    assert world.post(good)["accepted"] == [good["question_id"]]


@GATHERING.scenario
def a_question_twice_in_a_batch_is_422(world: World) -> None:
    posted = question(world.citizen())
    content = {"batch_id": new_id(), "questions": [posted, posted]}
    assert_invalid(world.caller("engine").send(QUESTIONS, "landquestions+jwt", content)[1])


@GATHERING.scenario
def an_empty_batch_has_an_empty_receipt(world: World) -> None:
    batch_id = new_id()
    receipt = world.engine().post(batch_id=batch_id)
    assert receipt == {"batch_id": batch_id, "accepted": [], "duplicates": [], "refused": []}, receipt


@GATHERING.scenario
def the_fourth_question_to_a_citizen_is_too_many_asks(world: World) -> None:
    citizen_id = world.citizen(SLOW_POLICY)
    three = [question(citizen_id) for _ in range(3)]
    assert len(world.post(*three)["accepted"]) == 3
    fourth = question(citizen_id)
    receipt = world.post(fourth)
    assert refusals(receipt) == {fourth["question_id"]: "too_many_asks"}, receipt
    again = world.post(three[0])
    assert again["duplicates"] == [three[0]["question_id"]], again


@GATHERING.scenario
def four_questions_to_a_citizen_in_one_batch_leave_one_refused(world: World) -> None:
    citizen_id = world.citizen(SLOW_POLICY)
    four = [question(citizen_id) for _ in range(4)]
    receipt = world.post(*four)
    assert receipt["accepted"] == [q["question_id"] for q in four[:3]], receipt
    assert refusals(receipt) == {four[3]["question_id"]: "too_many_asks"}, receipt


@GATHERING.scenario
def the_deceased_minors_and_organisations_are_not_askable(world: World) -> None:
    for citizen_id in world.not_askable:
        posted = question(citizen_id)
        receipt = world.post(posted)
        assert refusals(receipt) == {posted["question_id"]: "not_askable"}, receipt


@GATHERING.in_each_suite
def two_hundred_questions_fit_in_one_message_near_the_limit(world: World, suite: str) -> None:
    questions = [question(world.citizen(SLOW_POLICY), parcel(hamlet="x" * 340)) for _ in range(FULL_BATCH)]
    caller, batch_id = world.caller("engine", suite), new_id()
    sealed = caller.seal("landquestions+jwt", {"batch_id": batch_id, "questions": questions})
    assert 250_000 < len(sealed.body) <= LARGEST_BODY, len(sealed.body)
    world.posted += [q["question_id"] for q in questions]
    answer = caller.post(QUESTIONS, sealed, "landquestions+jwt")
    receipt = caller.open_answer(sealed, answer, "landquestions-receipt+jwt").content
    assert receipt["accepted"] == [q["question_id"] for q in questions], receipt["refused"]


@GATHERING.scenario
def a_body_one_quantum_beyond_the_limit_is_refused_and_one_below_is_read(world: World) -> None:
    # Blanks in the claims grow a good message by single bytes; the JWE grows by 4/3 of 4/3 of them.
    caller = world.caller("engine")
    content = {"after": None, "limit": 1}
    plain = len(caller.seal("landcollect+jwt", content).body)
    fits = (LARGEST_BODY - plain) * 9 // 16
    for blanks, is_read in ((fits - 8, True), (fits + 8, False)):
        pad = b" " * blanks
        twist = Twist(payload=lambda raw, pad=pad: raw[:-1] + pad + b"}")  # type: ignore[misc]
        sealed = caller.seal("landcollect+jwt", content, twist=twist)
        assert (len(sealed.body) <= LARGEST_BODY) is is_read, len(sealed.body)
        answer = caller.post("/v1/answers", sealed, "landcollect+jwt")
        if is_read:
            caller.open_answer(sealed, answer, "landanswers+jwt")
        else:
            assert_unacceptable(answer)


@GATHERING.in_each_suite
def a_withdrawal_says_of_each_id_what_became_of_it(world: World, suite: str) -> None:
    mine = one_question(world, SLOW_POLICY)
    stranger = new_id()
    batch_id = new_id()
    receipt = world.engine(suite).withdraw(mine.question_id, stranger, batch_id=batch_id)
    expected = {"batch_id": batch_id, "withdrawn": [mine.question_id], "too_late": [], "unknown": [stranger]}
    assert receipt == expected, receipt
    again = world.engine(suite).withdraw(mine.question_id, stranger, batch_id=batch_id)
    assert again == receipt, "the same batch again gets the same answer"
    new_batch = world.engine(suite).withdraw(mine.question_id)
    assert new_batch["withdrawn"] == [mine.question_id], "withdrawing twice is withdrawn again"
    entry = mine.ends("withdrawn")
    assert (entry["verdict"], entry["answered_at"], entry["proven"], entry["evidence_level"]) == (
        None,
        None,
        False,
        "none",
    ), entry


@GATHERING.reading(
    "section 5: the id of a withdrawal is question_id, so a batch_id used again decides nothing, or is 422"
)
def a_withdrawal_batch_used_again_hides_no_question(world: World) -> None:
    batch_id, case = new_id(), one_question(world, SLOW_POLICY)
    world.engine().withdraw(new_id(), batch_id=batch_id)
    content = {"batch_id": batch_id, "question_ids": [case.question_id], "reason": "đã rõ"}
    sealed, answer = world.caller("engine").send(WITHDRAW, "landwithdraw+jwt", content)
    if answer.status == 422:
        assert_invalid(answer)
        return
    opened = world.caller("engine").open_answer(sealed, answer, "landwithdraw-receipt+jwt")
    assert opened.content["withdrawn"] == [case.question_id], opened.content


@GATHERING.for_each(("none", 0), ("1,001", 1001))
def a_withdrawal_of_too_few_or_too_many_is_422(world: World, case: tuple[str, int]) -> None:
    content = {"batch_id": new_id(), "question_ids": [new_id() for _ in range(case[1])], "reason": "đã rõ"}
    assert_invalid(world.caller("engine").send(WITHDRAW, "landwithdraw+jwt", content)[1])


@GATHERING.scenario
def a_withdrawal_of_a_thousand_unknown_ids_is_answered(world: World) -> None:
    ids = [new_id() for _ in range(1000)]
    assert world.engine().withdraw(*ids)["unknown"] == ids


@GATHERING.scenario
def a_withdrawn_question_posted_again_is_a_duplicate(world: World) -> None:
    case = one_question(world, SLOW_POLICY)
    world.engine().withdraw(case.question_id)
    assert world.post(case.question)["duplicates"] == [case.question_id]


@GATHERING.in_each_suite
def collecting_in_pages_gives_each_entry_once_and_repeats_itself(world: World, suite: str) -> None:
    cases = [one_question(world, SLOW_POLICY) for _ in range(5)]
    world.engine().withdraw(*(case.question_id for case in cases))
    for case in cases:
        case.ends("withdrawn")
    engine = world.engine(suite)
    whole = engine.collect_all()
    paged: list[dict[str, Any]] = []
    after = None
    while (page := engine.collect(after, limit=2))["answers"]:
        assert len(page["answers"]) <= 2
        again = engine.collect(after, limit=2)
        assert again["answers"][: len(page["answers"])] == page["answers"], "the same after gives the same entries"
        paged += page["answers"]
        after = page["next"]
    assert paged[: len(whole)] == whole, "pages and the whole differ"
    assert page["next"] == after, "next is unchanged when nothing is new"
    later = one_question(world, SLOW_POLICY)
    world.engine().withdraw(later.question_id)
    later.ends("withdrawn")
    newer = engine.collect(after)
    assert [e["question_id"] for e in newer["answers"]].count(later.question_id) == 1, newer
    ids = [(entry["question_id"], entry["item_id"]) for entry in whole]
    assert all((case.question_id, case.item_id) in ids for case in cases)


@GATHERING.for_each(("0", 0), ("1,001", 1001), ("1.0", 1.0), ("text", "1"), ("true", True))
def a_limit_out_of_range_is_422(world: World, case: tuple[str, Any]) -> None:
    content = {"after": None, "limit": case[1]}
    assert_invalid(world.caller("engine").send("/v1/answers", "landcollect+jwt", content)[1])


@GATHERING.scenario
def only_post_is_taken_and_a_get_tells_nothing(world: World) -> None:
    for path in (QUESTIONS, WITHDRAW, "/v1/answers", "/v1/revisions", "/v1/declarations", "/v1/residence-proofs"):
        answer = wire.get(world.service_url + path)
        assert answer.status in {400, 404, 405}, f"{path} answered a GET with {answer.status}"


@GATHERING.scenario
def a_quick_provider_and_a_slow_engine_meet(world: World) -> None:
    case = one_question(world, QUICK, suite=P256)
    asked = case.asked()
    assert (asked.question_id, asked.items) == (case.question_id, [case.item_id])
