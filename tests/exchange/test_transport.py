"""Against real servers on loopback that behave badly in one way each."""

from __future__ import annotations

import datetime as dt
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from exchange.errors import NoAnswer, UnsafeUrlError
from exchange.sealed.suites import MAX_BODY_BYTES
from exchange.transport import Client, _seconds, get, post, refuse_unsafe


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    connections: set[tuple[str, int]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        type(self).connections.add(self.client_address)
        getattr(self, self.path.strip("/").replace("-", "_"))(body)

    def do_GET(self) -> None:
        self.say(200, self.path.encode())

    def say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def echo(self, body: bytes) -> None:
        self.say(200, body, content_type=self.headers["content-type"], x_bearer=self.headers.get("authorization", ""))

    def redirect(self, _body: bytes) -> None:
        self.say(307, b"", location="/echo")

    def busy(self, _body: bytes) -> None:
        self.say(503, b"{}", content_type="application/problem+json", retry_after="17")

    def packed(self, _body: bytes) -> None:
        self.say(200, gzip.compress(b"x" * 1000), content_encoding="gzip", content_type="application/jose")

    def nothing(self, _body: bytes) -> None:
        self.send_response(204)
        self.end_headers()

    def chunked(self, _body: bytes) -> None:
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")

    def full(self, _body: bytes) -> None:
        self.say(200, b"x" * MAX_BODY_BYTES)

    def too_long(self, _body: bytes) -> None:
        self.say(200, b"x" * (MAX_BODY_BYTES + 1))

    def endless(self, _body: bytes) -> None:
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
        except OSError:
            self.close_connection = True

    def drip(self, _body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        try:
            for _ in range(1000):
                self.wfile.write(b"x")
                time.sleep(0.02)
        except OSError:
            self.close_connection = True

    def silent(self, _body: bytes) -> None:
        time.sleep(0.6)
        self.close_connection = True

    def cut(self, _body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", "100")
        self.end_headers()
        self.wfile.write(b"x" * 50)
        self.close_connection = True

    def babble(self, _body: bytes) -> None:
        self.wfile.write(b"this is not HTTP\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_told: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    kind = type("Fresh", (Handler,), {"connections": set()})
    made = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    made.daemon_threads = True
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(read_seconds=0.3, total_seconds=0.5) as made:
        yield made


def say(client: Client, url: str) -> Callable[[], object]:
    return lambda: post(client, url, b"body", content_type="application/jose")


def test_the_body_its_type_and_the_headers_cross_and_the_answer_comes_back(server, client):
    answer = post(
        client, f"{server}/echo", b"body", content_type="application/jose", headers={"authorization": "Bearer t"}
    )
    assert (answer.status, answer.content_type, answer.body) == (200, "application/jose", b"body")
    assert (answer.retry_after, answer.content_encoding) == (None, None)


def test_a_document_is_got_with_its_query(server, client):
    assert get(client, f"{server}/v1/log/leaves?from=0&to=3").body == b"/v1/log/leaves?from=0&to=3"
    assert get(client, server).body == b"/"


def test_a_connection_is_used_again_also_after_an_error_status(server, client):
    for path in ("echo", "busy", "nothing", "chunked", "echo"):
        post(client, f"{server}/{path}", b"x", content_type="application/jose")
    with socket.create_connection(("127.0.0.1", int(server.rpartition(":")[2]))):
        pass
    assert len(Handler.__subclasses__()[-1].connections) == 1


def test_an_answer_of_any_status_is_an_answer(server, client):
    assert post(client, f"{server}/busy", b"", content_type="application/jose").retry_after == 17
    assert post(client, f"{server}/nothing", b"", content_type="application/json").body == b""
    assert post(client, f"{server}/chunked", b"", content_type="application/json").body == b"abcdefg"


def test_a_redirect_is_not_followed(server, client):
    assert post(client, f"{server}/redirect", b"x", content_type="application/jose").status == 307


def test_a_compressed_body_is_left_as_it_is_and_said_to_be(server, client):
    answer = post(client, f"{server}/packed", b"x", content_type="application/jose")
    assert answer.content_encoding == "gzip"
    assert gzip.decompress(answer.body) == b"x" * 1000


def test_the_longest_answer_is_taken(server):
    with Client() as patient:
        assert len(post(patient, f"{server}/full", b"", content_type="application/jose").body) == MAX_BODY_BYTES


@pytest.mark.parametrize("path", ["too-long", "endless", "drip", "silent", "cut", "babble"])
def test_anything_short_of_a_whole_answer_is_no_answer_and_the_client_lives_on(server, client, path):
    started = time.monotonic()
    with pytest.raises(NoAnswer):
        post(client, f"{server}/{path}", b"x", content_type="application/jose")
    assert time.monotonic() - started < 15, "the whole drip would take 20 s, the endless answer for ever"
    assert post(client, f"{server}/echo", b"x", content_type="application/jose").status == 200


def test_nobody_at_home_is_no_answer(client):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(NoAnswer, match=r"^no answer \(\w+\)$"):
            post(client, url, b"secret", content_type="application/jose")


@pytest.mark.parametrize(
    "url", ["https://vneid.example/token", "http://127.0.0.1/x", "http://[::1]:8/x", "http://localhost:1"]
)
def test_https_anywhere_and_http_on_loopback_are_safe(url):
    refuse_unsafe(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://vneid.example/", "http://127.0.0.1.example/", "http://localhost.example/", "http://10.0.0.1/", "ftp://a/",
        "", "https://", "//a/b", "https://user@a/", "https://user:secret@a/", "http://a@127.0.0.1/", "http://0x7f000001/",
        "http://[", "https://a:b/", "https://a:99999/", "https://[x]/", "file:///x",
    ],
)  # fmt: skip
def test_anything_else_is_not_and_is_not_repeated(client, url):
    with pytest.raises(UnsafeUrlError) as caught:
        post(client, url, b"", content_type="application/jose")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("120", 120), ("999999999", 86_400), ("9999999999", None),
                                               ("-1", None), ("1.5", None), ("", None), ("٣", None),
                                               ("Wed, 21 Oct 2026 07:28:00 GMT", None)])  # fmt: skip
def test_retry_after_is_a_number_of_seconds(text, seconds):
    assert _seconds(text) == seconds


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + made.public_bytes(pem))
    return path


def tls_server(certificate, newest: ssl.TLSVersion) -> ThreadingHTTPServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = newest
    context.set_ciphers("ALL:@SECLEVEL=0")
    made = ThreadingHTTPServer(("127.0.0.1", 0), type("Tls", (Handler,), {"connections": set()}))
    made.socket = context.wrap_socket(made.socket, server_side=True)
    made.handle_error = lambda *_told: None
    return made


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize(
    ("newest", "trusted", "host", "answers"),
    [
        (ssl.TLSVersion.TLSv1_3, True, "localhost", True),
        (ssl.TLSVersion.TLSv1_2, True, "localhost", True),
        (ssl.TLSVersion.TLSv1_1, True, "localhost", False),
        (ssl.TLSVersion.TLSv1_3, False, "localhost", False),
        (ssl.TLSVersion.TLSv1_3, True, "127.0.0.1", False),
    ],
    ids=["1.3", "1.2", "1.1", "unknown root", "another name"],
)
def test_tls_is_1_2_or_later_from_a_known_root_in_the_right_name(certificate, newest, trusted, host, answers):
    made = tls_server(certificate, newest)
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    try:
        with Client(roots=certificate if trusted else None) as client:
            ask = say(client, f"https://{host}:{made.server_port}/echo")
            if answers:
                ask()
            else:
                with pytest.raises(NoAnswer):
                    ask()
    finally:
        made.shutdown()
        thread.join()
        made.server_close()
