"""Settings that can be used are loaded; others stop the start with one sentence that names file and key, no secret."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from confirm_api.audit.checkpoint import new_log_key, write_log_key
from confirm_api.errors import SettingsError
from confirm_api.limits import Rate, Rates
from confirm_api.settings import Settings, load, read
from confirm_api.store.master_keys import MasterKeys
from exchange.sealed.keys import KeySet

EXAMPLE = Path(__file__).parents[2] / "configs" / "confirm_api.example.toml"
SECRET = "correct-horse-battery"


@pytest.fixture
def folder(tmp_path):
    """The example with every file that it names."""
    (tmp_path / "peers").mkdir()
    MasterKeys.make(tmp_path / "keys")
    KeySet.generate().save(tmp_path / "keys" / "service.json")
    write_log_key(new_log_key("quychu.local/log"), tmp_path / "keys" / "log.key")
    for peer in ("engine", "vneid", "police"):
        public = KeySet.generate(["vn-p256"]).public()
        (tmp_path / "peers" / f"{peer}.jwks.json").write_bytes(public.to_json())
    shutil.copy(EXAMPLE, tmp_path / "confirm_api.toml")
    return tmp_path


@pytest.fixture
def changed(folder):
    """Load the example with some of its text replaced."""

    def load_changed(*changes: tuple[str, str]) -> Settings:
        text = EXAMPLE.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        (folder / "confirm_api.toml").write_text(text, encoding="utf-8")
        return load(folder / "confirm_api.toml")

    return load_changed


def sentence_of(call, *arguments) -> str:
    with pytest.raises(SettingsError) as refused:
        call(*arguments)
    text = str(refused.value)
    assert "\n" not in text
    assert SECRET not in text
    return text


class TestTheExample:
    def test_it_loads_and_its_paths_are_relative_to_it(self, folder):
        settings = load(folder / "confirm_api.toml")
        assert settings.database.location() == f"sqlite:///{folder}/data/main.sqlite"
        assert settings.service.keys == folder / "keys" / "service.json"
        assert settings.master_keys() == MasterKeys.load(folder / "keys")
        assert settings.log_key().origin == "quychu.local/log"
        assert settings.own().iss == "urn:quychu:peer:service"
        assert settings.residence.land_use_codes == ("ONT", "ODT")

    def test_its_peers_are_those_of_the_protocol(self, folder):
        directory = load(folder / "confirm_api.toml").directory()
        assert {peer.name: (peer.role, peer.iss, peer.suite, peer.url) for peer in directory.peers} == {
            "engine": ("engine", "urn:quychu:peer:engine", "vn-p256", None),
            "vneid": ("vneid", "urn:quychu:peer:vneid", "vn-p256", "http://127.0.0.1:8700"),
            "police": ("police", "urn:quychu:peer:police", "vn-p256", None),
        }

    def test_what_it_says_is_what_is_taken_without_saying(self, folder):
        """The values it shows are the defaults, so that it documents them truly."""
        settings = load(folder / "confirm_api.toml")
        content = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
        required = {name: content[name] for name in ("database", "key_store", "audit", "peers")}
        required["service"] = {"keys": content["service"]["keys"]}
        assert Settings.model_validate(required, context={"folder": folder}) == settings
        assert settings.rates() == Rates(Rate(500, 1_000), Rate(10, 5_000), Rate(200, 1_000))

    def test_it_names_every_key_but_those_of_no_default(self):
        text = EXAMPLE.read_text(encoding="utf-8")
        for name, table in Settings.model_fields.items():
            assert f"[{name}]" in text or f"[[{name}]]" in text
            for key in getattr(table.annotation, "model_fields", {}):
                assert f"{key} =" in text or f"[{name}.{key}]" in text


class TestSecrets:
    def test_a_url_with_its_password_comes_from_the_environment(self, changed, monkeypatch):
        monkeypatch.setenv("QUYCHU_URL", f"postgresql+psycopg://quychu:{SECRET}@db/quychu\n")
        settings = changed(('url = "sqlite:///data/main.sqlite"', 'url = { env = "QUYCHU_URL" }'))
        assert settings.database.location().endswith("@db/quychu")

    def test_or_from_a_private_file(self, changed, folder):
        (folder / "url").write_text(f"postgresql+psycopg://quychu:{SECRET}@db/quychu")
        (folder / "url").chmod(0o600)
        settings = changed(('url = "sqlite:///data/main.sqlite"', 'url = { file = "url" }'))
        assert settings.database.location().endswith("@db/quychu")

    def test_but_not_from_the_settings(self, changed):
        url = f'url = "postgresql+psycopg://quychu:{SECRET}@db/quychu"'
        text = sentence_of(changed, ('url = "sqlite:///data/main.sqlite"', url))
        assert "key 'database.url': a url with a password stands in a file or the environment" in text

    def test_nor_from_a_file_that_others_may_read(self, changed, folder):
        (folder / "keys" / "master.key").chmod(0o644)
        text = sentence_of(changed)
        assert "key 'key_store.master'" in text
        assert "may be read by others (mode 0644); run: chmod 600" in text

    def test_an_empty_variable_is_none(self, changed, monkeypatch):
        monkeypatch.setenv("QUYCHU_URL", " ")
        text = sentence_of(changed, ('url = "sqlite:///data/main.sqlite"', 'url = { env = "QUYCHU_URL" }'))
        assert "key 'database.url': the environment has no variable QUYCHU_URL" in text

    def test_settings_do_not_show_what_they_hold_elsewhere(self, folder):
        key = (folder / "keys" / "master.key").read_text().strip()
        assert key not in repr(load(folder / "confirm_api.toml"))


HOST, PORT, SUITE = 'host = "127.0.0.1"', "port = 8600", 'suite = "vn-p256"'
ENGINE, VNEID, POLICE = 'role = "engine"', 'role = "vneid"', 'role = "police"'
ISS, URL = 'iss = "urn:quychu:peer:police"', 'url = "http://127.0.0.1:8700"'
MAIN, MASTER = 'url = "sqlite:///data/main.sqlite"', '{ file = "keys/master.key" }'


class TestRefusals:
    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            (PORT, "prot = 8600", "unknown key 'service.prot'; known there: iss, keys, host, port, tls"),
            (PORT, f'{PORT}\npassword = "{SECRET}"', "unknown key 'service.password'; known there:"),
            (PORT, 'port = "8600"', "key 'service.port': expected a valid integer, found text"),
            (PORT, f'port = "{SECRET}"', "key 'service.port': expected a valid integer, found text"),
            (PORT, "port = 99999", "key 'service.port': expected less than or equal to 65535, found 99999"),
            (PORT, "port = true", "key 'service.port': expected a valid integer, found true or false"),
            ('keys = "keys/service.json"', "", "key 'service.keys' is missing"),
            ('keys = "keys/service.json"', "keys = 7", "key 'service.keys': expected a path, found 7"),
            ("threads = 8", "threads = 0", "'limits.threads': expected greater than or equal to 1, found 0"),
            ("[worker]", "[wroker]", "unknown key 'wroker'; known there: service, database"),
            ("[[peers]]", "[[pears]]", "unknown key 'pears'; known there: service, database"),
            ('level = "info"', 'level = "loud"', "expected 'debug', 'info', 'warning' or 'error', found 'loud'"),
            (SUITE, 'suite = "rsa"', "'peers[0].suite': expected 'vn-p256' or 'modern-25519', found 'rsa'"),
            (POLICE, 'role = "tax"', "'peers[2].role': expected 'engine', 'vneid' or 'police', found 'tax'"),
            (ENGINE, 'role = "service"', "key 'peers[0].role': expected 'engine', 'vneid' or 'police'"),
            (ENGINE, POLICE, "peers: expected exactly one of role 'vneid' and at least one of role 'engine'"),
            (POLICE, VNEID, "'peers[2]': a peer of role 'vneid' has a url"),
            (POLICE, f'{VNEID}\nurl = "https://x.example"', "peers: expected exactly one of role 'vneid'"),
            (ENGINE, f"{ENGINE}\nrol = 1", "unknown key 'peers[0].rol'; known there: name, role, iss"),
            (ISS, 'iss = "urn:quychu:peer:engine"', "peers: expected each iss once"),
            (ISS, 'iss = "urn:quychu:peer:service"', "peers: expected each iss once, the service's own included"),
            ('name = "police"', 'name = "engine"', "peers: expected each name once"),
            (URL, "", "key 'peers[1]': a peer of role 'vneid' has a url"),
            (URL, 'url = "http://vneid.example"', "key 'peers[1].url': expected https, or plain http to loopback"),
            (POLICE, f'{POLICE}\nurl = "https://x.example"', "key 'peers[2]': a peer of role 'vneid' has a url"),
            ("data/keys.sqlite", "data/main.sqlite", "key 'key_store.url': expected another database"),
            (MAIN, 'url = "main.sqlite"', "key 'database.url': expected a url such as"),
            (MAIN, "url = { }", "key 'database.url': expected {file ="),
            (MAIN, 'url = { fiel = "x" }', "unknown key 'database.url.fiel'; known there: file, env"),
            (MASTER, f'"{SECRET}"', "key 'key_store.master': expected a table, found text"),
            (HOST, 'host = "0.0.0.0"', "key 'service': plain HTTP is for loopback only"),
            (HOST, 'host = "10.0.0.7"', "key 'service': plain HTTP is for loopback only"),
            (HOST, f'{HOST}\ntrusted_proxies = ["somewhere"]', "trusted_proxies[0]': expected an address or a netw"),
            ("claim_seconds = 120", "claim_seconds = 5", "expected greater than or equal to 40, found 5"),
            ("sampling = 1.0", "sampling = 2.0", "'logs.sampling': expected less than or equal to 1, found 2.0"),
            ("sampling = 1.0", "sampling = nan", "key 'logs.sampling': expected"),
        ],
    )
    def test_one_sentence_tells_key_expected_and_found(self, changed, old, new, expected):
        text = sentence_of(changed, (old, new))
        assert text.startswith("confirm_api.toml: ")
        assert expected in text

    @pytest.mark.parametrize(
        ("extra", "host"),
        [
            ("behind_tls_proxy = true", "0.0.0.0"),
            ('tls = { certificate = "keys/log.key", key = "keys/log.key" }', "0.0.0.0"),
            ("", "::1"),
            ("", "127.0.0.9"),
            ("", "localhost"),
        ],
    )
    def test_near_misses_of_plain_http_are_taken(self, changed, extra, host):
        assert changed((HOST, f'host = "{host}"\n{extra}')).service.host == host

    def test_toml_that_is_none_is_told_with_its_place_but_without_its_text(self, folder):
        (folder / "confirm_api.toml").write_text(f"[service]\nport = {SECRET}\n")
        assert "expected TOML in UTF-8, found something else at line 2, column" in sentence_of(
            load, folder / "confirm_api.toml"
        )

    def test_bytes_that_are_no_text(self, folder):
        (folder / "confirm_api.toml").write_bytes(b"\xff\xfe")
        assert "expected TOML in UTF-8" in sentence_of(load, folder / "confirm_api.toml")

    def test_a_file_that_is_not_there(self, folder):
        text = sentence_of(load, folder / "other.toml")
        assert text == "other.toml: expected a settings file, found none there; copy configs/confirm_api.example.toml"


class TestKeyFiles:
    def test_reading_alone_does_not_look_at_them(self, folder):
        shutil.rmtree(folder / "keys")
        assert read(folder / "confirm_api.toml").service.port == 8600

    @pytest.mark.parametrize(
        ("file", "key"),
        [
            ("keys/service.json", "service.keys"),
            ("keys/log.key", "audit.key"),
            ("keys/index.key", "key_store.index"),
            ("peers/vneid.jwks.json", "peers[1].jwks"),
        ],
    )
    @pytest.mark.parametrize("content", [None, SECRET, "{}"])
    def test_one_that_cannot_be_used_is_named_with_its_key(self, changed, folder, file, key, content):
        path = folder / file
        path.unlink()
        if content is not None:
            path.write_text(content)
            path.chmod(0o600)
        text = sentence_of(changed)
        assert text.startswith(f"confirm_api.toml: key '{key}': ")
        assert path.name in text

    def test_a_suite_the_peer_has_no_keys_of(self, changed):
        text = sentence_of(changed, ('suite = "vn-p256"', 'suite = "modern-25519"'))
        assert "key 'peers[0].suite': expected a suite that both sides have keys of, found 'modern-25519'" in text
        assert "'engine' has none; it has vn-p256" in text

    def test_a_suite_we_have_no_keys_of(self, changed, folder):
        KeySet.generate(["modern-25519"]).save(folder / "keys" / "service.json", replace_existing=True)
        assert "'vn-p256', of which service.keys has none; it has modern-25519" in sentence_of(changed)

    def test_two_peers_with_the_same_key(self, changed, folder):
        shutil.copy(folder / "peers" / "engine.jwks.json", folder / "peers" / "police.jwks.json")
        assert "key 'peers': two peers have the same key" in sentence_of(changed)

    def test_a_peer_with_our_own_key(self, changed, folder):
        own = KeySet.load(folder / "keys" / "service.json").public()
        (folder / "peers" / "police.jwks.json").write_bytes(own.to_json())
        assert "key 'peers[2].jwks': expected a peer's own keys, found one of ours" in sentence_of(changed)

    def test_one_key_in_two_places(self, changed):
        text = sentence_of(changed, ("keys/index.key", "keys/master.key"))
        assert "key 'key_store': two different keys" in text

    def test_the_key_of_another_log(self, changed):
        text = sentence_of(changed, ('origin = "quychu.local/log"', 'origin = "elsewhere/log"'))
        assert "key 'audit.key': " in text
        assert "elsewhere/log" in text

    def test_tls_files_that_are_not_there(self, changed):
        text = sentence_of(changed, (HOST, f'{HOST}\ntls = {{ certificate = "no.pem", key = "no.key" }}'))
        assert "key 'service.tls.certificate': " in text
        assert "no.pem cannot be read (No such file or directory)" in text
