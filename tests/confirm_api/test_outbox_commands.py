"""`quychu outbox list | replay` on a service's own settings and databases."""

import json
import time

import pytest
from click.testing import CliRunner

from confirm_api.dev import prepare
from confirm_api.outbox_commands import outbox
from confirm_api.service import results
from confirm_api.settings import load
from confirm_api.store.engine import open_engine, upgrade
from confirm_api.store.vault import open_vault
from confirm_api.unit import Units
from tests.confirm_api.service.helpers import Story, citizen, ident, parcel, question


def run(*told):
    return CliRunner().invoke(outbox, [str(one) for one in told])


@pytest.fixture
def config(tmp_path):
    return prepare(tmp_path / "trial")


@pytest.fixture
def story(config):
    settings = load(config)
    engine = open_engine(settings.database.location())
    upgrade(engine)
    vault = open_vault(settings.key_store.location(), settings.master_keys())
    clock = lambda: int(time.time())  # noqa: E731 - the command reads the same clock
    yield Story(Units(engine, vault, clock), clock)
    vault.close()
    engine.dispose()


@pytest.fixture
def dead(story):
    """The number of a dead letter."""
    story.post(question("one", 1, parcel("a")))
    story.sent("one")
    link = story.link("one", "landask+jwt")
    story.take(results.Failed(link, "status-404", final=True))
    return link.delivery_no


def test_dead_letters_are_listed_without_anything_personal(config, dead):
    shown = run("list", "--config", config)
    assert shown.exit_code == 0
    assert f"question {ident('one')}" in shown.output
    assert "status-404" in shown.output
    assert citizen(1) not in shown.output
    told = json.loads(run("list", "--config", config, "--json").output)
    assert (told["no"], told["state"], told["typ"]) == (dead, "dead", "landask+jwt")


def test_a_dead_letter_is_put_back_once(config, story, dead):
    assert "will be sent again" in run("replay", "--config", config, dead).output
    assert story.states("one") == ["asked"]
    again = run("replay", "--config", config, dead)
    assert again.exit_code == 1
    assert "expected a dead letter" in again.output
    assert "no such messages" in run("list", "--config", config).output


def test_all_dead_letters_are_put_back(config, story, dead):
    assert run("replay", "--config", config, "--all").exit_code == 0
    assert run("list", "--config", config, "--state", "waiting", "--json").output.count("landask+jwt") == 1


@pytest.mark.parametrize("told", [[], ["--all", "1"], ["x"]])
def test_wrong_usage_ends_with_2(config, told):
    assert run("replay", "--config", config, *told).exit_code == 2


def test_bad_settings_are_one_sentence(tmp_path):
    shown = run("list", "--config", tmp_path / "none.toml")
    assert shown.exit_code == 1
    assert "Traceback" not in shown.output
