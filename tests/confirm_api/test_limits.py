"""Who is counted, and how often they may come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confirm_api.limits import UNKNOWN, Limiter, Rate, address_of, networks

PROXIES = networks(["10.0.0.0/8", "::1/128"])


class Time:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


def test_a_burst_is_taken_and_then_the_rate_holds(time):
    limiter = Limiter(Rate(per_second=10, burst=3), clock=time)
    assert [limiter.take("a") for _ in range(4)] == [0.0, 0.0, 0.0, pytest.approx(0.1)]
    time.now = 0.1
    assert (limiter.take("a"), limiter.take("a") > 0) == (0.0, True)


def test_each_key_has_its_own_bucket(time):
    limiter = Limiter(Rate(1, 1), clock=time)
    assert (limiter.take("a"), limiter.take("b"), limiter.take("a") > 0) == (0.0, 0.0, True)


def test_looking_takes_nothing(time):
    limiter = Limiter(Rate(1, 1), clock=time)
    assert [limiter.wait("a") for _ in range(3)] == [0.0] * 3
    assert (limiter.take("a"), limiter.wait("a")) == (0.0, 1.0)


def test_whoever_was_not_heard_of_for_longest_is_forgotten(time):
    limiter = Limiter(Rate(0.001, 1), clock=time, most=2)
    for key in "abc":
        limiter.take(key)
    assert (limiter.take("c") > 0, limiter.take("a")) == (True, 0.0)


@given(st.lists(st.floats(0, 5), max_size=60))
def test_never_more_than_the_burst_and_the_rate(pauses):
    time = Time()
    limiter = Limiter(Rate(per_second=2, burst=5), clock=time)
    taken = 0
    for pause in pauses:
        time.now += pause
        taken += limiter.take("a") == 0.0
    assert taken <= 5 + 2 * time.now + 1e-6


@pytest.mark.parametrize(
    ("host", "forwarded", "counted"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.1", "192.0.2.1"),  # no proxy of ours: the header is the sender's own
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.1", "203.0.113.1"),  # what stands before was written by the sender
        ("10.0.0.1", "203.0.113.1, 10.0.0.2", "203.0.113.1"),  # two proxies of ours
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1, nonsense", "10.0.0.1"),
        ("::1", "203.0.113.1", "203.0.113.1"),
        ("2001:db8::1", None, "2001:db8::/64"),
        ("2001:db8::ffff:1", None, "2001:db8::/64"),
        ("::ffff:192.0.2.1", None, "192.0.2.1"),
        (None, None, UNKNOWN),
        ("testclient", None, UNKNOWN),
    ],
)
def test_the_address_that_is_counted(host, forwarded, counted):
    assert address_of(host, forwarded, PROXIES) == counted


@given(st.text(), st.text())
def test_no_header_makes_the_count_fail(host, forwarded):
    assert address_of(host, forwarded, PROXIES)
