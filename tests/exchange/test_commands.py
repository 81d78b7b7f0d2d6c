from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from exchange.commands import keys
from exchange.sealed.keys import JwkSet, KeySet


def run(*arguments: object) -> Result:
    return CliRunner().invoke(keys, [str(argument) for argument in arguments])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "service.keys.json"
    assert run("make", path).exit_code == 0
    return path


def test_make_writes_keys_of_the_default_suite_and_lists_them(file):
    assert KeySet.load(file).suites == ["vn-p256"]
    shown = run("show", file)
    assert [line.split()[1:] for line in shown.output.splitlines()] == [
        ["vn-p256", "sig", "active"],
        ["vn-p256", "enc", "active"],
    ]


def test_make_takes_both_suites_once_each(tmp_path):
    done = run("make", tmp_path / "a", "--suite", "vn-p256", "--suite", "modern-25519", "--suite", "vn-p256", "--quiet")
    assert (done.exit_code, done.output) == (0, "")
    assert len(KeySet.load(tmp_path / "a").keys) == 4


def test_an_existing_file_is_not_overwritten(file):
    before = file.read_bytes()
    done = run("make", file)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "is not overwritten" in done.stderr
    assert file.read_bytes() == before


def test_jwks_gives_what_peers_pin_and_nothing_private(file, tmp_path):
    printed = run("jwks", file).stdout_bytes
    assert run("jwks", file, "--out", tmp_path / "p.json").output == ""
    assert (tmp_path / "p.json").read_bytes() == printed
    assert JwkSet.parse(printed) == KeySet.load(file).public()
    assert not any("d" in key for key in json.loads(printed)["keys"])
    assert run("show", tmp_path / "p.json").output == run("show", file).output


def test_a_rotation_takes_its_three_steps(file):
    first = KeySet.load(file).active("vn-p256", "sig").kid
    assert run("rotate", file, "--step", "activate").exit_code == 1
    assert run("rotate", file, "--step", "add-next").output.count("next") == 2
    assert KeySet.load(file).active("vn-p256", "sig").kid == first
    assert run("rotate", file, "--step", "activate").output.count("verify-only") == 2
    assert run("rotate", file, "--step", "retire").output.count("active") == 2
    assert KeySet.load(file).by_kid(first) is None
    assert file.stat().st_mode & 0o777 == 0o600


def test_no_command_prints_a_private_part(file):
    secrets = [key.private_jwk()["d"] for key in KeySet.load(file).keys]
    outputs = [run("show", file), run("jwks", file), run("rotate", file, "--step", "add-next")]
    assert not any(secret in done.output for done in outputs for secret in secrets)


@pytest.mark.parametrize("command", ["show", "jwks"])
def test_a_bad_file_is_one_sentence(tmp_path, command):
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    for path in (tmp_path / "bad.json", tmp_path / "nothing.json"):
        done = run(command, path)
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)


@pytest.mark.parametrize("arguments", [["make"], ["make", "x", "--suite", "rsa"], ["rotate", "x"], ["burn", "x"]])
def test_wrong_usage_ends_with_2(arguments):
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("command", ["make", "show", "jwks", "rotate"])
def test_every_command_shows_an_example(command):
    assert f"quychu keys {command} keys/" in run(command, "--help").output
