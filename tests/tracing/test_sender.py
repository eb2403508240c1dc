"""What a collector says before it closes the connection is told."""

import socket
import ssl
import threading
from contextlib import suppress

from proxy.tracing.rules import TracingRule
from proxy.tracing.sender import Sender


def test_the_alert_of_a_collector_that_wants_a_certificate_is_told(authority) -> None:
    """By TLS 1.3 it comes after the handshake, and a write that fails hides it."""
    pair, listener = authority.server(), socket.create_server(("127.0.0.1", 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED

    def refuse() -> None:
        plain, _ = listener.accept()
        tls = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        with suppress(ssl.SSLError):
            tls.do_handshake()
        socket.socket.shutdown(tls, socket.SHUT_WR)
        while socket.socket.recv(tls, 4096):  # or a reset would overtake the alert
            pass
        tls.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    rule = TracingRule(ca_file=str(authority.certificate))
    sender = Sender(f"https://127.0.0.1:{listener.getsockname()[1]}", rule, "test")
    sent = sender.send([b"spans"], 30.0)
    thread.join(30)
    listener.close()

    assert ("TLS: tlsv13 alert certificate required", True) == (sent.why, sent.again)
