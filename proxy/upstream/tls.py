"""TLS to https endpoints: whom we believe, who we are, and sessions that are taken up again."""

import ssl
from contextlib import suppress
from typing import Any

from proxy.tls.files import load_authorities, load_pair, speak
from proxy.tls.watched import WatchedTls
from proxy.upstream.rules import TlsRule


class ResumingContext(ssl.SSLContext):
    """Takes up the last session with an endpoint of the same name, which spares both the
    certificates (RFC 8446 §2.2).

    Event loops have no parameter for a session; but they make every connection by `wrap_bio`.
    """

    _last: dict[str, ssl.SSLObject]
    """The latest connection, by name: its tickets come some time after the handshake."""
    _sessions: dict[str, ssl.SSLSession]

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """As it is inherited, with a session where there is one."""
        name = kwargs.get("server_hostname") or ""
        self._keep_session(name)
        kwargs["session"] = self._sessions.get(name)
        made = self._last[name] = super().wrap_bio(*args, **kwargs)
        return made

    def _keep_session(self, name: str) -> None:
        with suppress(KeyError, ValueError):  # no connection yet, or one without a handshake
            session = self._last[name].session
            if session is not None and session.has_ticket:
                self._sessions[name] = session


def context_of(rule: TlsRule) -> ResumingContext:
    """The TLS context for one upstream. Raises TlsFileError."""
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    context._last, context._sessions = {}, {}
    speak(context, rule.min_version)
    if rule.ca_file is None:
        context.load_default_certs()
    else:
        load_authorities(context, "ca_file", rule.ca_file)
    if rule.certificate is not None:
        load_pair(context, rule.certificate, rule.key)
    if not rule.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def upstream_tls(name: str, rule: TlsRule) -> WatchedTls[ResumingContext]:
    """Of the upstream `name`. Raises TlsFileError."""
    return WatchedTls(
        f"upstreams.{name}",
        lambda: context_of(rule),
        certificate=rule.certificate,
        others=(rule.key, rule.ca_file),
    )
