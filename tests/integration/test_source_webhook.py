"""``riskstream source webhook`` over real connections, with a real broker."""

import http.client
import shutil
import ssl
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.events import encode, eventbridge, full_event, ndjson, sparse_event
from tests.support.kafka import Broker
from tests.support.processes import run, wait_for
from tests.support.sources import HOST, PATH, SECRET, post, raw_records, start_webhook

SECONDS = 60


def create_topics(broker: Broker) -> None:
    """As an operator does."""
    settings = {"KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers}
    done = run(["topics", "create", "--partitions", "3"], settings=settings)
    assert done.returncode == 0, done.stderr.decode()


def test_both_formats_get_in_byte_for_byte(kafka_broker: Broker, tmp_path: Path) -> None:
    """In the order in which they came; strangers get nothing in."""
    create_topics(kafka_broker)
    bodies = [
        encode([full_event(user_id=number), sparse_event(user_id=number)]) for number in range(20)
    ]
    bodies += [ndjson([sparse_event(user_id=number)], "\r\n") for number in range(20)]
    bodies += [encode(eventbridge(sparse_event(user_id=number))) for number in range(5)]
    bodies += [b"not json at all \xff\x00", b"[" * 5000]
    webhook, port = start_webhook(kafka_broker, tmp_path)
    with webhook:
        webhook.wait_until_ready()
        assert [post(port, body)[0] for body in bodies] == [200] * len(bodies)
        assert post(port, b"[]", "a-wrong-secret-of-20")[0] == 401
        assert post(port, b"x" * 1_000_001)[0] == 413
        accepted = webhook.metric_sum("riskstream_webhook_requests_total", result="accepted")
        assert accepted == len(bodies)
        assert webhook.metric_sum("riskstream_webhook_accepted_bytes_total") == sum(
            map(len, bodies)
        )
        assert webhook.stop() == 0
    records = raw_records(kafka_broker)
    assert [record.value for record in records] == bodies
    assert {record.key for record in records} == {b"onelogin-webhook"}
    assert SECRET not in webhook.log


def test_a_delivery_in_flight_is_finished_at_the_end(
    embedded_broker: Broker, tmp_path: Path
) -> None:
    """SIGTERM in the middle of a body: it is taken in and answered; exit code 0."""
    create_topics(embedded_broker)
    webhook, port = start_webhook(embedded_broker, tmp_path)
    with webhook, closing(http.client.HTTPConnection(HOST, port, timeout=60)) as connection:
        webhook.wait_until_ready()
        connection.putrequest("POST", PATH)
        connection.putheader("Authorization", SECRET)
        connection.putheader("Content-Length", "6")
        connection.endheaders(b"[1,")
        begun = "riskstream_webhook_pending_bytes"
        wait_for(lambda: webhook.metric_sum(begun) == 3, SECONDS, "half of the body")
        stopping = threading.Thread(target=webhook.stop)
        stopping.start()
        wait_for(lambda: webhook.health("ready") == 503, SECONDS, "the server to stop")
        connection.send(b"2] ")
        assert connection.getresponse().status == 200
        stopping.join()
        assert webhook.wait() == 0
    assert [record.value for record in raw_records(embedded_broker)] == [b"[1,2] "]
    assert "Traceback" not in webhook.log


def test_what_is_set_up_wrong_is_said_at_once(embedded_broker: Broker, tmp_path: Path) -> None:
    """No secret, a short one, no topics, half of TLS, an address in use: what to do."""
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": embedded_broker.bootstrap_servers,
        "HTTP__PORT": "0",
        "WEBHOOK__PORT": "0",
    }
    for more, code, said in (
        ({}, 2, b"WEBHOOK__SECRET_FILE"),
        ({"WEBHOOK__SECRET": "short"}, 2, b"fewer than 16"),
        ({"WEBHOOK__SECRET": SECRET}, 3, b"topics create"),
        ({"WEBHOOK__SECRET": SECRET, "WEBHOOK__TLS_KEY": "key.pem"}, 2, b"together"),
    ):
        done = run(["source", "webhook"], settings=settings | more)
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr.decode()
    create_topics(embedded_broker)
    webhook, port = start_webhook(embedded_broker, tmp_path)
    with webhook:
        webhook.wait_until_ready()
        taken = {"WEBHOOK__SECRET": SECRET, "WEBHOOK__PORT": str(port)}
        done = run(["source", "webhook"], settings=settings | taken)
        assert done.returncode == 2
        assert b"cannot be used" in done.stderr
        assert webhook.stop() == 0


@pytest.mark.tools
def test_it_ends_tls_itself(embedded_broker: Broker, tmp_path: Path) -> None:
    """With a certificate and key from files; a client that trusts it is answered."""
    openssl = shutil.which("openssl")
    assert openssl, "Debian's package openssl has it"
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, "req", *options, *names, *files], check=True, capture_output=True)
    create_topics(embedded_broker)
    tls = {"WEBHOOK__TLS_CERTIFICATE": str(certificate), "WEBHOOK__TLS_KEY": str(key)}
    webhook, port = start_webhook(embedded_broker, tmp_path, **tls)
    with webhook:
        webhook.wait_until_ready()
        trusting = ssl.create_default_context(cafile=str(certificate))
        with closing(
            http.client.HTTPSConnection(HOST, port, timeout=30, context=trusting)
        ) as client:
            client.request("POST", PATH, b"[]", {"Authorization": SECRET})
            assert client.getresponse().status == 200
        with pytest.raises(OSError, match=r".+"):
            post(port, b"[]")
        assert webhook.stop() == 0
    assert [record.value for record in raw_records(embedded_broker)] == [b"[]"]
