"""Any sequence of events, against a small model of the other side that knows only what crosses the wire.

Rules of the model
- The provider holds requests: open from the answer to an ask until a reply, an end of its own or a receipt of a cancel.
- Officers hold cases: one for each that was opened. A case is never lost, so an item at the office needs one.
- Of each item the model knows who may be asked, from ranks and order of acceptance alone.
"""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from confirm_api import question as life
from confirm_api.candidates import Board
from confirm_api.question import (
    ASKED,
    CLOSING,
    DISPUTED,
    HELD,
    MET,
    OFFICE,
    OPEN,
    OPEN_STATES,
    SENDING,
    SETTLED,
    Answer,
    Begin,
    Item,
    Question,
)
from confirm_api.service.officers import _ACTIONS

CITIZENS, ITEMS = ["x", "y", "z"], ["a", "b", "c"]
VERDICTS = st.sampled_from(["mine", "mine", "not_mine", "unsure", "suspected_fraud"])
PROOFS = st.sampled_from(["met", "wrong", "none"])
CHOICE = st.integers(0, 1_000)


class Life(RuleBasedStateMachine):
    """Questions about three parcels of three citizens."""

    def __init__(self):
        super().__init__()
        self.now = 0
        self.board = Board(0, whole=set(ITEMS))
        self.ended: dict[tuple[int, str], tuple] = {}
        self.provider: set[tuple[int, int]] = set()
        self.cases: set[tuple[int, str]] = set()
        self.answered: set[tuple[int, int]] = set()
        self.dead: set[int] = set()

    # ---- what the service does around the pure rules ----

    def settle(self, may_change=()):
        """As `World.settle`: an ask that was never sent is closed at once; that is up to chance elsewhere."""
        self.board.now = self.now
        self.board.pass_on()
        while self.board.cancels:
            cancels, self.board.cancels = self.board.cancels, []
            for no, cancel in cancels:
                if not cancel.taken:
                    self.board.change(no, life.attempt_closed(self.board.of(no)))
            self.board.pass_on()
        before = dict(self.board.current)
        self.board.begin()
        self.check_begins(before)
        self.check_ends(set(may_change))

    def check_begins(self, before):
        for no, effect in self.board.effects:
            if isinstance(effect, Begin):
                assert not {number for known, number in self.provider if known == no}, "one attempt open"
                for item_id in effect.item_ids:
                    self.check_turn(before, no, item_id)
            else:
                self.cases.add((no, effect.item_id))
        self.board.effects.clear()

    def check_turn(self, before, no, item_id):
        """Whoever is asked has nobody before them, neither one who waits nor one who has the item."""
        mine = before[no].item(item_id)
        for other, question in before.items():
            for item in question.items:
                if other == no or item.item_id != item_id:
                    continue
                assert item.state != ASKED, "asked of one citizen at a time"
                taken = item.state in {OFFICE, DISPUTED} or (item.state == SETTLED and item.proven)
                if taken or item.state in OPEN_STATES:
                    assert (item.rank, other) > (mine.rank, no), "in the order of rank and acceptance"

    def check_ends(self, may_change):
        for no, question in self.board.current.items():
            for item in question.items:
                known = self.ended.get((no, item.item_id))
                if known is not None and item.item_id not in may_change:
                    assert known == item.outcome, "an end changes only by dispute, revision, officers or a replay"
                if item.is_open:
                    self.ended.pop((no, item.item_id), None)
                else:
                    self.ended[no, item.item_id] = item.outcome

    def some(self, chosen, wanted):
        found = [question for question in self.board.current.values() if wanted(question)]
        return found[chosen % len(found)] if found else None

    def with_attempt(self, chosen, state):
        return self.some(chosen, lambda one: one.attempt is not None and one.attempt.state == state)

    # ---- events ----

    @precondition(lambda self: len(self.board.current) < 8)
    @rule(
        citizen=st.sampled_from(CITIZENS),
        ranks=st.dictionaries(st.sampled_from(ITEMS), st.integers(1, 3), min_size=1),
        lasts=st.integers(1, 30),
        priority=st.sampled_from([0.1, 0.9]),
    )
    def accept(self, citizen, ranks, lasts, priority):
        no = len(self.board.current) + 1
        parts = tuple(Item(item_id, rank) for item_id, rank in ranks.items())
        self.board.current[no] = Question(no, citizen, self.now, self.now + lasts, parts, priority)
        self.settle()

    @rule(chosen=CHOICE)
    def ask_is_taken(self, chosen):
        question = self.with_attempt(chosen, SENDING)
        if question is not None:
            self.provider.add((question.no, question.attempt.number))
            self.board.change(question.no, life.ask_taken(question))
            self.settle()

    @rule(chosen=CHOICE, said=st.lists(st.tuples(VERDICTS, PROOFS), min_size=3, max_size=3))
    def citizen_replies(self, chosen, said):
        question = self.with_attempt(chosen, OPEN)
        if question is None:
            return
        number, asked = question.attempt.number, question.attempt.item_ids
        answers = [Answer(item_id, *one) for item_id, one in zip(asked, said, strict=False)]
        self.provider.discard((question.no, number))
        self.answered.add((question.no, number))
        self.board.change(question.no, life.reply(question, number, answers, self.now))
        self.settle()

    @rule(chosen=CHOICE, attempt=st.integers(1, 4), verdict=VERDICTS)
    def a_late_reply_settles_nothing(self, chosen, attempt, verdict):
        question = self.some(chosen, lambda one: life.is_late(one, attempt))
        if question is not None:
            answers = [Answer(item.item_id, verdict, MET) for item in question.items]
            step = life.reply(question, attempt, answers, self.now)
            assert step.question == question

    @rule(chosen=CHOICE)
    def citizen_declines(self, chosen):
        question = self.with_attempt(chosen, OPEN)
        if question is not None:
            self.provider.discard((question.no, question.attempt.number))
            self.board.change(question.no, life.declined(question))
            self.settle()

    @rule(chosen=CHOICE)
    def provider_ends_the_request(self, chosen):
        question = self.with_attempt(chosen, OPEN)
        if question is not None:
            self.provider.discard((question.no, question.attempt.number))
            self.board.change(question.no, life.request_ended(question))
            self.settle()

    @rule(chosen=CHOICE, dead=st.booleans())
    def ask_fails(self, chosen, dead):
        question = self.with_attempt(chosen, SENDING)
        if question is not None:
            end = life.dead_letter if dead else life.refused_by_provider
            self.board.change(question.no, end(question))
            self.settle()

    @rule(chosen=CHOICE)
    def dead_letter_is_sent_again(self, chosen):
        question = self.some(chosen, lambda one: one.dead is not None and one.expires_at > self.now)
        if question is not None:
            revived = life.revive(question)
            self.board.change(question.no, revived)
            back = [item.item_id for item in revived.items if item != question.item(item.item_id)]
            self.settle(may_change=back)

    @rule(chosen=CHOICE)
    def cancel_is_confirmed(self, chosen):
        question = self.with_attempt(chosen, CLOSING)
        if question is not None:
            self.provider.discard((question.no, question.attempt.number))
            self.board.change(question.no, life.attempt_closed(question))
            self.settle()

    @rule(chosen=CHOICE)
    def engine_withdraws(self, chosen):
        question = self.some(chosen, lambda _one: True)
        step = None if question is None else life.withdraw(question)
        if step is not None:
            self.board.change(question.no, step)
            self.settle()

    @rule(seconds=st.integers(1, 10))
    def time_passes(self, seconds):
        self.now += seconds
        for question in list(self.board.current.values()):
            if question.expires_at <= self.now and not question.ended:
                self.board.change(question.no, life.expire(question))
        self.settle()

    @rule(chosen=CHOICE, verdict=VERDICTS, proof=PROOFS, which=st.integers(0, 2))
    def citizen_revises(self, chosen, verdict, proof, which):
        question = self.some(chosen, lambda one: any(no == one.no for no, _ in self.answered))
        if question is None:
            return
        item = question.items[which % len(question.items)]
        if item.answered_at is None:
            return
        answers = [Answer(item.item_id, verdict, proof)]
        self.board.change(question.no, life.revise(question, answers, self.now))
        for other in self.board.candidates(item.item_id):
            if other != question.no:
                self.board.change(other, life.doubt(self.board.of(other), item.item_id))
        self.settle(may_change=[item.item_id])

    @rule(chosen=CHOICE, which=CHOICE, action=st.sampled_from(sorted(_ACTIONS)))
    def officers_decide(self, chosen, which, action):
        question = self.some(chosen, lambda one: any(not item.is_open for item in one.items))
        if question is None:
            return
        ended = [item.item_id for item in question.items if not item.is_open]
        item_id = ended[which % len(ended)]
        if action != "dispute" and not self.has_case(question.no, item_id):
            return  # officers decide cases
        _ACTIONS[action](self.board, question.no, item_id)
        self.settle(may_change=[item_id])

    # ---- what holds after each of them ----

    @invariant()
    def one_open_question_per_citizen(self):
        for handle in CITIZENS:
            open_ = [
                one
                for one in self.board.current.values()
                if one.handle == handle and not one.ended and one.attempt is not None
            ]
            assert len(open_) <= 1

    @invariant()
    def an_item_is_asked_of_one_citizen_at_a_time(self):
        for item_id in ITEMS:
            asked = [
                one
                for one in self.board.current.values()
                if any(item.item_id == item_id and item.state == ASKED for item in one.items)
            ]
            assert len(asked) <= 1

    @invariant()
    def what_is_asked_is_in_the_open_attempt(self):
        for one in self.board.current.values():
            asked = {item.item_id for item in one.items if item.state == ASKED}
            in_attempt = set(one.attempt.item_ids) if one.attempt and one.attempt.state in {SENDING, OPEN} else set()
            assert asked <= in_attempt

    @invariant()
    def nothing_settles_as_mine_without_a_met_challenge_or_officers(self):
        for one in self.board.current.values():
            for item in one.items:
                if item.state == SETTLED and item.verdict == "mine":
                    assert item.met or item.decided == "mine"
                assert item.proven == (item.verdict == "mine" and item.evidence_level in {"challenge", "officer"})

    @invariant()
    def at_most_one_candidate_has_an_item_for_good(self):
        for item_id in ITEMS:
            settled = [
                one.no
                for one in self.board.current.values()
                if any(item.item_id == item_id and item.state == SETTLED and item.proven for item in one.items)
            ]
            assert len(settled) <= 1, "two proven claims are disputed"

    @invariant()
    def nothing_is_stuck(self):
        """Whatever has not ended is asked, or waits for something that is under way itself."""
        for one in self.board.current.values():
            for item in one.items:
                if item.state == HELD:
                    assert self.somebody_has(item.item_id, one.no)
                elif item.is_open and one.attempt is None and one.expires_at > self.now:
                    others = [q for q in self.board.current.values() if q.handle == one.handle and not q.ended]
                    assert any(other.attempt is not None for other in others)

    def somebody_has(self, item_id, no):
        return any(
            item.item_id == item_id and item.state in OPEN_STATES and item.state != HELD
            for question in self.board.current.values()
            if question.no != no
            for item in question.items
        )

    @invariant()
    def whatever_lies_with_the_office_has_a_case(self):
        for one in self.board.current.values():
            for item in one.items:
                if item.state in {OFFICE, DISPUTED}:
                    assert self.has_case(one.no, item.item_id)

    def has_case(self, no, item_id):
        """One of its own; or, of a reopened item, that of the claim that was decided."""
        return (no, item_id) in self.cases or any((other, item_id) in self.cases for other in self.board.current)

    def teardown(self):
        """In the end time ends everything that nobody else has ended."""
        self.now += 10_000
        for question in list(self.board.current.values()):
            if not question.ended:
                self.board.change(question.no, life.expire(question))
        self.settle()
        assert all(question.ended for question in self.board.current.values())


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
