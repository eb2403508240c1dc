"""Who is measured: how each one is started, all before the same upstream, each pinned to a core.

nginx and Caddy do what Sidelight does for every request: an ID, handed on and echoed,
and one JSON line in a file.
"""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

PROXY_CORE, LOAD_CORE = 0, 1
HERE = Path(__file__).parent
COMPILED = HERE.parent / "build" / "compiled"
"""The tree as the image has it; `make bench` makes it where there is a C compiler."""
ANSWER = json.dumps({"answer": "word " * 200})
UPSTREAM = 18100
COLLECTOR = 18099

NGINX = """
daemon off; worker_processes 1; pid {home}/nginx.pid; error_log {home}/error.log;
events {{ worker_connections 16384; }}
http {{
  access_log off; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path {home}/a; proxy_temp_path {home}/b; fastcgi_temp_path {home}/c;
  uwsgi_temp_path {home}/d; scgi_temp_path {home}/e;
  {http}
}}
"""
NGINX_UPSTREAM = """
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 '{answer}'; }}
  }}
"""
NGINX_COLLECTOR = """
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 0;
    location = /v1/traces {{ return 200; }}
  }}
"""
NGINX_PROXY = """
  log_format event escape=json '{{"timestamp":"$time_iso8601","request_id":"$request_id",'
    '"method":"$request_method","path":"$request_uri","status":$status,"bytes_out":$bytes_sent,'
    '"duration":$request_time,"upstream_duration":"$upstream_response_time",'
    '"client_ip":"$remote_addr","user_agent":"$http_user_agent"}}';
  upstream chat {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port}; access_log {home}/access.log event;
    location ~ ^/(stream|idle) {{
      proxy_pass http://chat; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Request-ID $request_id; add_header X-Request-ID $request_id always;
      proxy_buffering off;
    }}
    location / {{
      proxy_pass http://chat; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Request-ID $request_id; add_header X-Request-ID $request_id always;
    }}
  }}
"""
CADDY = """
{{
  admin off
  auto_https off
}}
{scheme}://127.0.0.1:{port} {{
  {tls}
  log {{
    output file {home}/access.log
    format json
  }}
  request_header X-Request-ID {{http.request.uuid}}
  header X-Request-ID {{http.request.uuid}}
  @streams path /stream /idle
  reverse_proxy @streams 127.0.0.1:{upstream} {{
    flush_interval -1
  }}
  reverse_proxy 127.0.0.1:{upstream}
}}
"""
SIDELIGHT = """
listen: {{ host: 127.0.0.1, port: {port}, tls: {tls} }}
admin: {{ host: 127.0.0.1, port: {admin} }}
upstreams:
  chat: {{ endpoints: ["http://127.0.0.1:{upstream}"], pool: {{ size: 4096 }} }}
routes:
  - name: chat
    match: {{ path: /api/chat, methods: [POST] }}
    upstream: chat
    policy: streamed-chat
  - {{ name: rest, match: {{ path: / }}, upstream: chat }}
"""
SPANS = """
tracing: {{ endpoint: "http://127.0.0.1:{collector}", sample: {share} }}
"""
SHARES = {"Sidelight, 100 % spans": 1, "Sidelight, 0 % spans": 0}
LIMITS = """
observe: { fields: { user_id: { header: X-User } } }
policies:
  default:
    rate_limit:
      - { rate: 100000/1s, burst: 1000000, by: address }
      - { rate: 100000/1s, burst: 1000000, by: { field: user_id } }
    concurrency: { limit: 2000, per_client: 2000, by: { field: user_id } }
    content_types: [application/json]
    message: { pointer: /message }
    hsts: 1d
    max_response: 1MiB
"""
LIMITED = ("Sidelight, limits and guards", "Sidelight, interpreted, limits and guards")
MATCHES = [
    f"  - {{{{ name: r{{n}}, upstream: chat, match: {match} }}}}\n"
    for match in (
        "{{ path: /api/messages/{n} }}",
        "{{ path: /api/messages/{n}/ }}",
        '{{ path: "/api/{{id}}/{n}" }}',
        "{{ path: /api/, host: h{n}.example.com }}",
        "{{ path: /api/messages, headers: {{ X-Model: m{n} }} }}",
    )
]
"""Of the other routes, where there are a thousand: of each kind as many."""


@dataclass(slots=True)
class Peer:
    """One of those measured. `missing` says what to install where it cannot run here."""

    name: str
    port: int
    missing: str = ""
    has_id: bool = True
    """Whether each answer must carry an X-Request-ID."""
    process: subprocess.Popen[bytes] | None = None
    home: Path = field(default_factory=Path)
    tls: Path | None = None
    """Where `tls.crt` and `tls.key` are; None: plain HTTP."""
    tree: Path = HERE.parent
    """Where it is started: the tree whose Sidelight is meant."""

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}/api/messages?page=1"

    def start(self, home: Path) -> None:
        """Start it and wait until it answers as it should. Raises RuntimeError."""
        self.home = home / str(self.port)
        self.home.mkdir()
        command = COMMANDS[self.name](self)
        if command:
            self.process = _pinned(PROXY_CORE, command, self.home, self.tree)
        _await(self)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:  # it waits for streams that nobody reads any more
                self.process.kill()
                self.process.wait(5)

    def resident(self) -> int:
        """Bytes of memory that it and its children hold."""
        pids = _family(self.process.pid) if self.process is not None else []
        return sum(_resident(pid) for pid in pids)

    def cpu(self) -> float:
        """CPU seconds used so far by it and its children, in user and system together.

        By the scheduler's clock: `utime` and `stime` are sampled ten milliseconds apart, which
        beats with streams that have a rhythm of their own.
        """
        if self.process is None:
            return 0.0
        return sum(_nanoseconds(pid) for pid in _family(self.process.pid)) / 1e9


def _direct(_peer: Peer) -> list[str]:
    return []


def _nginx(peer: Peer) -> list[str]:
    http = NGINX_PROXY.format(port=peer.port, upstream=UPSTREAM, home=peer.home)
    return _nginx_command(peer.home, http)


def _nginx_command(home: Path, http: str) -> list[str]:
    config = home / "nginx.conf"
    config.write_text(NGINX.format(home=home, http=http))
    return ["nginx", "-p", str(home), "-e", str(home / "error.log"), "-c", str(config)]


def _caddy(peer: Peer) -> list[str]:
    config = peer.home / "Caddyfile"
    text = CADDY.format(
        scheme="https" if peer.tls else "http",
        tls=f"tls {peer.tls}/tls.crt {peer.tls}/tls.key" if peer.tls else "",
        port=peer.port,
        upstream=UPSTREAM,
        home=peer.home,
    )
    config.write_text(text)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(config)]


def _bare(peer: Peer) -> list[str]:
    upstream = f"http://127.0.0.1:{UPSTREAM}"
    return [sys.executable, str(HERE / "bare_aiohttp.py"), str(peer.port), upstream]


def _sidelight(peer: Peer) -> list[str]:
    config = peer.home / "sidelight.yaml"
    files = f"{{ certificate: {peer.tls}/tls.crt, key: {peer.tls}/tls.key }}"
    text = SIDELIGHT.format(
        tls=files if peer.tls else "null",
        port=peer.port,
        admin=peer.port + 1000,
        upstream=UPSTREAM,
    )
    if peer.name in SHARES:
        text += SPANS.format(collector=COLLECTOR, share=SHARES[peer.name])
    if peer.name in LIMITED:
        text += LIMITS
    if peer.name.endswith("routes"):
        text += "".join(MATCHES[n % len(MATCHES)].format(n=n) for n in range(998))
    config.write_text(text)
    return [sys.executable, "-m", "proxy", "run", "--config", str(config)]


COMMANDS = {
    "direct": _direct,
    "nginx": _nginx,
    "Caddy": _caddy,
    "bare aiohttp": _bare,
    "Sidelight": _sidelight,
    "Sidelight with a thousand routes": _sidelight,
    "Sidelight, interpreted": _sidelight,
    **dict.fromkeys(LIMITED, _sidelight),
    **dict.fromkeys(SHARES, _sidelight),
}


def peers() -> list[Peer]:
    """All of them, those that cannot run here with the reason."""
    return [
        Peer("direct", UPSTREAM, has_id=False),
        Peer("nginx", 18101),
        Peer("Caddy", 18102, missing=_lacking("caddy")),
        Peer("bare aiohttp", 18103, has_id=False),
        Peer("Sidelight", 18104, missing=uncompiled(), tree=COMPILED),
        Peer("Sidelight with a thousand routes", 18106, missing=uncompiled(), tree=COMPILED),
        Peer("Sidelight, interpreted", 18105),
        Peer("Sidelight, 100 % spans", 18107, missing=uncompiled(), tree=COMPILED),
        Peer("Sidelight, 0 % spans", 18108, missing=uncompiled(), tree=COMPILED),
        Peer(LIMITED[0], 18109, missing=uncompiled(), tree=COMPILED),
        Peer(LIMITED[1], 18110),
    ]


def tls_peers(files: Path) -> list[Peer]:
    """Those that are compared by TLS, with the certificate in `files`."""
    return [
        Peer("Caddy", 18112, missing=_lacking("caddy"), tls=files),
        Peer("Sidelight", 18114, missing=uncompiled(), tls=files, tree=COMPILED),
        Peer("Sidelight, interpreted", 18115, tls=files),
    ]


def _lacking(command: str) -> str:
    return (
        "" if shutil.which(command) else f"{command} is not installed (apt-get install {command})"
    )


def uncompiled() -> str:
    made = (COMPILED / "proxy").glob("forward.*.so")
    return "" if any(made) else "not compiled (needs a C compiler: apt-get install gcc)"


def lacking() -> list[str]:
    """What nothing can be measured without."""
    return [reason for name in ("nginx", "wrk", "taskset") if (reason := _lacking(name))]


def stop_with(stack: ExitStack, process: subprocess.Popen[bytes]) -> None:
    """Stop it when the stack is left."""
    stack.callback(process.wait, 10)
    stack.callback(process.terminate)


def start_upstream(home: Path) -> subprocess.Popen[bytes]:
    """nginx on the core of the load, answering 1 kB of JSON from memory."""
    home.mkdir()
    http = NGINX_UPSTREAM.format(port=UPSTREAM, answer=ANSWER)
    return _pinned(LOAD_CORE, _nginx_command(home, http), home)


def start_collector(home: Path) -> subprocess.Popen[bytes]:
    """For spans; not the upstream itself, which would answer nobody while it reads a batch."""
    home.mkdir()
    http = NGINX_COLLECTOR.format(port=COLLECTOR)
    return _pinned(LOAD_CORE, _nginx_command(home, http), home)


def start_origin(home: Path) -> subprocess.Popen[bytes]:
    """The upstream for streams, in its place."""
    home.mkdir()
    origin = _pinned(
        LOAD_CORE, [sys.executable, str(HERE / "stream_origin.py"), str(UPSTREAM)], home
    )
    _await(Peer("origin", UPSTREAM, has_id=False, process=origin, home=home))
    return origin


def _pinned(
    core: int, command: list[str], home: Path, tree: Path = HERE.parent
) -> subprocess.Popen[bytes]:
    with (home / "stdout").open("wb") as out, (home / "stderr").open("wb") as err:
        return subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            stdout=out,
            stderr=err,
            cwd=tree,
            env=os.environ | {"HOME": str(home), "XDG_DATA_HOME": str(home)},
        )


def _await(peer: Peer, patience: float = 15.0) -> None:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if peer.process is not None and peer.process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", peer.port), 1):
                break
        except OSError:
            time.sleep(0.05)
    try:
        believing = ssl.create_default_context(cafile=peer.tls / "tls.crt") if peer.tls else None
        with urllib.request.urlopen(peer.url, timeout=5, context=believing) as answer:
            right = answer.read() == ANSWER.encode()
            identified = bool(answer.headers["X-Request-ID"]) or not peer.has_id
    except OSError as reason:
        raise RuntimeError(f"{peer.name} does not answer: {reason}\n{_words(peer)}") from reason
    if not right or not identified:
        raise RuntimeError(f"{peer.name} answers wrongly\n{_words(peer)}")


def _words(peer: Peer) -> str:
    path = peer.home / "stderr"
    return path.read_text(errors="replace")[-2000:] if path.exists() else ""


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _nanoseconds(pid: int) -> int:
    """Time on a core of all threads that live."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)


def _resident(pid: int) -> int:
    rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(row.split()[1]) * 1024 for row in rows if row.startswith("VmRSS")), 0)
