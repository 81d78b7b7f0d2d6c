"""`quychu office accept`: from a finished run to residence proofs, through the command."""

import shutil

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from confirm_api.dev import prepare
from confirm_api.office_commands import opened
from confirm_api.store.tables import accepted_parcels, cases, people, runs
from quychu.office import office
from tests.quychu.test_acceptance import files  # noqa: F401 - a fixture


@pytest.fixture
def config(tmp_path):
    return prepare(tmp_path / "service")


@pytest.fixture
def accept(files, config):  # noqa: F811 - the fixture is used by its name
    def run(*more, **instead):
        told = {**files, "config": config, **instead}
        options = [part for name in told for part in (f"--{name}", str(told[name]))]
        return CliRunner().invoke(office, ["accept", *options, *more])

    return run


def rows(config, table) -> int:
    with opened(config) as units, units.begin() as unit:
        return unit.conn.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_run_is_taken_over_and_the_same_run_again_does_nothing(accept, config):
    first = accept()
    assert first.exit_code == 0, first.output
    assert first.stdout == (
        "Đã tiếp nhận 3 thửa đất, 3 người không thuộc diện hỏi, 1 hồ sơ cần xem; 0 hồ sơ cũ được thay.\n"
    )
    assert accept().stdout == "Kết quả này đã được tiếp nhận từ trước.\n"
    assert [rows(config, table) for table in (accepted_parcels, people, cases, runs)] == [3, 3, 1, 1]


def test_progress_goes_to_standard_error_and_can_be_silenced(accept):
    assert "thửa đất: 3 / 3" in accept().stderr
    assert accept("--quiet").stderr == ""


def test_another_file_is_one_sentence_and_nothing_is_stored(accept, config, files, tmp_path):  # noqa: F811
    other = shutil.copy(files["citizens"], tmp_path / "other.parquet")
    other.write_bytes(other.read_bytes() + b"x")
    done = accept(citizens=other)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert rows(config, runs) == 0
