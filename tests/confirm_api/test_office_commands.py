import json
import re

import pytest
from argon2 import PasswordHasher
from click.testing import CliRunner

from confirm_api.dev import prepare
from confirm_api.office import officers
from confirm_api.office_commands import PASSWORD_VARIABLE, office, opened
from scripts.office_samples import fill

PASSWORD = "Ruộng lúa chín vàng 2026"
REASON = "Đã đối chiếu bản gốc giấy chứng nhận."


@pytest.fixture
def quick_hashes(monkeypatch) -> PasswordHasher:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(officers, "_HASHER", quick)
    monkeypatch.setattr(officers, "_NOBODY", quick.hash("nobody"))
    return quick


@pytest.fixture
def config(tmp_path):
    return prepare(tmp_path / "service")


@pytest.fixture
def no(config, quick_hashes) -> dict[str, int]:
    """One case of each kind, by kind."""
    with opened(config) as units:
        return fill(units, password_hash=quick_hashes.hash(PASSWORD))


@pytest.fixture
def run(config, quick_hashes):
    def command(*arguments: object, password: str | None = PASSWORD, told: str = ""):
        given = [*(str(argument) for argument in arguments), "--config", str(config)]
        environment = {PASSWORD_VARIABLE: password}
        return CliRunner().invoke(office, given, env=environment, input=told)

    return command


def test_the_list_names_kinds_and_communes_and_nobody(run, no):
    done = run("list", "--officer", "lan")
    assert done.exit_code == 0
    assert "Tranh chấp" in done.stdout
    assert not re.search(r"\b\d{12}\b", done.stdout)


def test_scripts_read_the_list_page_by_page(run, no):
    first = json.loads(run("list", "--officer", "lan", "--json", "--limit", 8).stdout)
    rest = json.loads(run("list", "--officer", "lan", "--json", "--after", first["next"]).stdout)
    assert [case["no"] for case in first["cases"] + rest["cases"]] == list(range(1, 11))
    assert rest["next"] is None


def test_an_empty_list_says_so(run, no):
    assert run("list", "--officer", "lan", "--state", "decided").stdout == "Không có hồ sơ nào.\n"


def test_a_case_is_shown_with_what_may_be_decided(run, no):
    done = run("show", no["failed_challenge"], "--officer", "lan")
    for word in ("001066000014", "CD 550918", "nhập 9871", "--action confirm: Xác nhận của công dân này."):
        assert word in done.stdout


def test_scripts_read_a_case_without_its_handle(run, no):
    told = json.loads(run("show", no["declaration"], "--officer", "lan", "--json").stdout)
    assert told["attachments"][0]["sha256"] == "4b" * 32
    assert "handle" not in told["case"]


@pytest.mark.parametrize("kind", ["dispute", "review", "correction", "suspected_fraud"])
def test_every_kind_of_case_can_be_shown(run, no, kind):
    assert run("show", no[kind], "--officer", "lan").exit_code == 0


def test_a_decision_is_asked_again_before_it_is_taken(run, no):
    told = ("decide", no["unproven"], "--action", "confirm", "--reason", REASON, "--officer", "lan")
    assert run(*told, told="n\n").exit_code == 1
    done = run(*told, told="y\n")
    assert "Thửa đất được ghi nhận là của công dân này" in done.stderr
    assert done.stdout == "Đã ghi quyết định.\n"
    decided = json.loads(run("list", "--officer", "lan", "--state", "decided", "--json").stdout)
    assert decided["cases"][0]["outcome"] == "confirm"


def test_two_officers_end_a_dispute(run, no):
    told = ("decide", no["dispute"], "--action", "confirm", "--reason", REASON, "--yes", "--json", "--officer")
    assert json.loads(run(*told, "lan").stdout) == {"state": "first_vote", "outcome": None}
    assert json.loads(run(*told, "minh").stdout) == {"state": "decided", "outcome": "confirm"}


def test_a_decided_case_is_reopened(run, no):
    run("decide", no["unproven"], "--action", "reject", "--reason", REASON, "--yes", "--officer", "lan")
    assert "hai cán bộ" in run("reopen", no["unproven"], "--reason", REASON, "--officer", "lan").stdout


def test_an_ended_question_is_disputed(run, no):
    told = {"--question": "question-mend" + "-" * 9, "--item": "item-mend" + "-" * 13, "--reason": REASON}
    done = run("dispute", "--officer", "lan", *(part for pair in told.items() for part in pair))
    assert done.stdout == "Đã mở tranh chấp: hồ sơ số 11, cần hai cán bộ quyết định.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", 6, "--officer", "hoa"), "không thuộc địa bàn"),
        (("show", 99, "--officer", "lan"), "Không có hồ sơ số này"),
        (("show", 6, "--officer", "tra"), "Vai trò của tài khoản"),
        (("reopen", 6, "--reason", REASON, "--officer", "lan"), "chưa được quyết định"),
        (
            ("decide", 6, "--action", "other", "--reason", REASON, "--yes", "--officer", "lan"),
            "không có quyết định đó",
        ),
        (("decide", 6, "--action", "confirm", "--reason", "ok", "--yes", "--officer", "lan"), "phải có lý do"),
        (("list", "--officer", "nobody"), "không đúng"),
    ],
)
def test_what_is_refused_is_one_sentence(run, no, arguments, sentence):
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_wrong_password_opens_nothing(run, no):
    assert run("list", "--officer", "lan", password="wrong").exit_code == 1


def test_without_variable_and_file_the_password_is_asked_for(run, no):
    done = run("list", "--officer", "lan", password=None, told=f"{PASSWORD}\n")
    assert done.exit_code == 0
    assert PASSWORD not in done.output


def test_a_password_file_must_be_private(run, no, tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    file.chmod(0o600)
    assert run("list", "--officer", "lan", "--password-file", file, password=None).exit_code == 0
    file.chmod(0o644)
    assert run("list", "--officer", "lan", "--password-file", file, password=None).exit_code == 1


def test_accounts_are_made_changed_and_closed(run, config):
    assert run("officer", "add", "lan", "--role", "reviewer", "--commune", "Xã A").stdout == "Đã tạo tài khoản lan.\n"
    assert run("list", "--officer", "lan").exit_code == 0
    run("officer", "password", "lan", password=PASSWORD + "!")
    assert run("list", "--officer", "lan").exit_code == 1
    assert run("list", "--officer", "lan", password=PASSWORD + "!").exit_code == 0
    run("officer", "disable", "lan")
    assert run("list", "--officer", "lan", password=PASSWORD + "!").exit_code == 1
    assert "lan" in run("officer", "list").stdout
    assert json.loads(run("officer", "list", "--json").stdout)[0]["active"] is False


def test_an_account_of_openid_connect_needs_no_password(run, config):
    added = run("officer", "add", "lan", "--role", "auditor", "--oidc-subject", "s-1", password=None)
    assert added.exit_code == 0
    assert json.loads(run("officer", "list", "--json").stdout)[0]["has_password"] is False


def test_a_weak_password_is_refused_before_anything_is_made(run, config):
    assert run("officer", "add", "lan", "--role", "reviewer", password="lan").exit_code == 1
    assert json.loads(run("officer", "list", "--json").stdout) == []


def test_bad_settings_are_one_sentence(tmp_path):
    done = CliRunner().invoke(office, ["officer", "list", "--config", str(tmp_path / "none.toml")])
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize("command", [[], ["list"], ["show"], ["decide"], ["reopen"], ["dispute"], ["officer", "add"]])
def test_every_command_has_help(command):
    assert CliRunner().invoke(office, [*command, "--help"]).exit_code == 0
