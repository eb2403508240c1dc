"""Failed handshakes are counted, and a bounded number of them is said."""

from collections import Counter

from proxy.tls.handshake_log import MOST, WINDOW, HandshakeLog


def test_so_many_are_said_and_the_rest_counted():
    said, at = [], [100.0]
    counts = Counter()
    log = HandshakeLog("traffic", lambda *event: said.append(event), counts, lambda: at[0])
    for _ in range(MOST + 5):
        log.failed("left", "192.0.2.1", "gone")
    assert MOST == len(said)
    at[0] += WINDOW
    log.failed("timeout", "192.0.2.1", "slow")

    assert {("traffic", "left"): MOST + 5, ("traffic", "timeout"): 1} == counts
    name, level, fields = said[-1]
    assert ("tls_handshake_failed", "warning", 5) == (name, level, fields["unsaid"])
    assert "unsaid" not in said[0][2]


def test_resumed_ones_are_told_apart():
    counts = Counter()
    log = HandshakeLog("admin", lambda *_: None, counts)
    log.done(resumed=False)
    log.done(resumed=True)

    assert {("admin", "ok"): 1, ("admin", "resumed"): 1} == counts
