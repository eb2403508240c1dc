"""The unit starts what there is, gives a drain its time, and holds the process on a short leash."""

import re
import shlex
from pathlib import Path

from proxy.cli import _parser
from proxy.knobs import seconds
from proxy.settings.load import from_upstream

UNIT = (Path(__file__).parents[2] / "deploy" / "systemd" / "sidelight.service").read_text()


def told(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT, re.MULTILINE)


def test_its_commands_are_ones_that_sidelight_has() -> None:
    (start,), (before,) = map(told, ("ExecStart", "ExecStartPre"))
    settings = Path("/etc/sidelight/sidelight.yaml")

    assert settings == _parser().parse_args(shlex.split(start)[1:]).config
    assert settings == _parser().parse_args(shlex.split(before)[1:]).file


def test_a_reload_checks_the_settings_before_it_asks_for_them() -> None:
    check, ask = told("ExecReload")

    assert [check] == told("ExecStartPre")
    assert ["/bin/kill", "-HUP", "$MAINPID"] == shlex.split(ask)


def test_a_drain_has_time_to_end() -> None:
    """Under the settings that hold where none are written."""
    drain = from_upstream("http://a:1").drain

    assert seconds(told("TimeoutStopSec")[0]) > drain.readiness_delay + drain.limit
    assert ["mixed"] == told("KillMode")


def test_the_store_lies_where_it_may_write() -> None:
    (store,) = told("Environment")
    (home,) = told("StateDirectory")

    assert store.startswith(f"SIDELIGHT_STORE__PATH=/var/lib/{home}/")
    assert ["strict"] == told("ProtectSystem")


def test_lines_of_the_log_are_not_dropped_for_their_rate() -> None:
    assert ["0"] == told("LogRateLimitIntervalSec")


def test_it_has_no_privilege() -> None:
    assert ["yes"] == told("DynamicUser")
    assert [""] == told("CapabilityBoundingSet")
    assert ["yes"] == told("NoNewPrivileges")
