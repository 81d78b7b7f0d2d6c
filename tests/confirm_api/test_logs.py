"""What gets into a log, and what cannot, not even by a slip."""

import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confirm_api import logs

PERSON = ("Nguyễn Văn A", "001090000001", "BĐ 123456", "Thôn Đông, xã Vân Côn", "079080123456")


@pytest.fixture
def lines():
    stream = io.StringIO()
    logs.configure(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logs.structlog.reset_defaults()


def test_a_line_is_json_with_time_level_and_the_fields_of_the_list(lines):
    logs.get().info("request", route="/v1/answers", status=200, seconds=0.01)
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "request", "level": "info", "route": "/v1/answers", "status": 200, "seconds": 0.01}


@pytest.mark.parametrize("value", PERSON)
@pytest.mark.parametrize("field", sorted(logs.ALLOWED - {"timestamp", "level"}))
def test_nothing_of_a_person_gets_through_any_field(lines, field, value):
    logs.get().info(**({"event": "request", field: value} if field != "event" else {"event": value}))
    assert value not in json.dumps(lines(), ensure_ascii=False)


def test_a_field_that_is_not_on_the_list_is_dropped(lines):
    logs.get().error("fault", citizen_id="x", detail="y", error="ValueError")
    assert lines()[0].keys() == {"event", "level", "timestamp", "error"}


def test_the_words_of_libraries_are_not_repeated_and_their_errors_are_placed(lines):
    try:
        int(PERSON[0])
    except ValueError:
        logging.getLogger("uvicorn.error").exception("went wrong with %s", PERSON[1])
    (line,) = lines()
    assert (line["event"], line["library"], line["error"], line["level"]) == (
        "library",
        "uvicorn.error",
        "ValueError",
        "error",
    )
    assert line["where"].startswith("test_logs.py:")


def test_what_libraries_say_below_a_warning_is_not_written(lines):
    logging.getLogger("sqlalchemy.engine").info("SELECT %s", PERSON[1])
    assert lines() == []


@given(st.dictionaries(st.sampled_from(sorted(logs.ALLOWED)), st.text() | st.integers() | st.none() | st.binary()))
def test_what_is_kept_is_plain_and_has_no_number_of_nine_digits(fields):
    for name, value in logs.kept(fields).items():
        if isinstance(value, str) and name != "timestamp":
            assert value.isascii()
            assert not logs._NUMBER_LIKE.search(value)
