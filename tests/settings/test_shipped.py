"""The policies that are there without being written."""

from proxy.settings.load import from_upstream
from proxy.settings.schema import Policy
from proxy.settings.shipped import shipped


def test_the_shipped_policies_are_those_of_the_documentation():
    policies = from_upstream("http://a:1").policies
    differences = {
        name: {
            f"{section}.{key}": value
            for section in ("timeouts", "retry", "breaker")
            for key, value in getattr(policy, section)
            if value != getattr(getattr(Policy(), section), key)
        }
        for name, policy in policies.items()
    }

    assert differences == {
        "default": {},
        "fast": {"retry.first_pause": 0.5, "retry.max_pause": 5.0},
        "patient": {"retry.first_pause": 1.0, "retry.max_pause": 10.0},
        "model": {
            "timeouts.head": 300.0,
            "timeouts.gap": 120.0,
            "timeouts.total": 600.0,
            "retry.attempts": 2,
            "retry.first_pause": 2.0,
            "retry.max_pause": 10.0,
            "breaker.consecutive": 3,
            "breaker.cool_down": 60.0,
        },
        "streamed-chat": {
            "timeouts.head": 60.0,
            "timeouts.first_event": 120.0,
            "timeouts.gap": 60.0,
            "timeouts.total": 180.0,
            "retry.attempts": 2,
            "retry.on": ("connect",),
            "breaker.consecutive": 3,
            "breaker.cool_down": 60.0,
        },
    }


def test_each_gets_a_tree_of_its_own():
    shipped().nodes.clear()

    assert list(shipped().nodes) == ["default", "fast", "patient", "model", "streamed-chat"]
