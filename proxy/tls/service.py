"""What a running Sidelight has of TLS: contexts of its ports, the watch of all files, counts."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from proxy.tls.facts import CertificateFacts, SayEvent
from proxy.tls.handshake_log import RESULTS, HandshakeLog, PortName
from proxy.tls.parts import PortParts
from proxy.tls.rules import PortTls, TrafficTls
from proxy.tls.watch import TlsWatch
from proxy.tls.watched import WatchedTls, port_tls


class TlsService:
    """`upstreams` gives the contexts of those that are in force now. Raises TlsFileError."""

    def __init__(
        self,
        listen: TrafficTls | None,
        admin: PortTls | None,
        upstreams: Callable[[], Iterable[WatchedTls[Any] | None]],
        tell: SayEvent,
    ) -> None:
        self._tell, self._upstreams = tell, upstreams
        self.handshakes: Counter[tuple[str, str]] = Counter()
        """By port and result."""
        self._ports: list[WatchedTls[Any]] = []
        forwards = listen is not None and listen.forward_client_cert
        self.listen = self._port("listen", "traffic", listen, forwards=forwards)
        """For the traffic port; None where it speaks plain HTTP."""
        self.admin = self._port("admin", "admin", admin)
        self.watch = TlsWatch(self._subjects, tell)

    def facts(self) -> list[CertificateFacts]:
        """Of every certificate and its files."""
        return [one.facts for one in self._subjects()]

    def _port(
        self, name: str, port: PortName, rule: PortTls | None, *, forwards: bool = False
    ) -> PortParts | None:
        if rule is None:
            return None
        tls = port_tls(name, rule)
        self._ports.append(tls)
        self.handshakes.update({(port, result): 0 for result in RESULTS})
        return PortParts(rule, tls, HandshakeLog(port, self._tell, self.handshakes), forwards)

    def _subjects(self) -> list[WatchedTls[Any]]:
        return [*self._ports, *(one for one in self._upstreams() if one is not None)]
