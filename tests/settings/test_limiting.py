"""Limits by what is not there, or by what everybody may choose."""

import pytest

from proxy.settings.faults import SettingsError
from proxy.settings.load import parse

BEFORE = "upstreams: { a: { endpoints: ['http://a:1'] } }\n"
FIELDS = "observe: { fields: { user_id: { header: X-User }, key: { header: Authorization } } }\n"


def settings(limits: str, before: str = ""):
    route = f"routes: [{{ name: r, upstream: a, match: {{}}, rate_limit: {limits} }}]"
    return parse(f"{BEFORE}{before}{route}", source="x")


@pytest.mark.parametrize(
    ("limits", "fault"),
    [
        ("[{ rate: 1/1m, by: { field: user } }]", 'no field of observe is named "user"'),
        ("[{ rate: 1/1m, by: { field: key } }]", '"key" is recorded as hidden, the same for all'),
    ],
)
def test_a_field_that_cannot_tell_clients_apart_is_refused(limits, fault):
    with pytest.raises(SettingsError) as refused:
        settings(limits, FIELDS)

    assert f"routes[0].rate_limit[0].by.field: {fault}" in str(refused.value)


def test_a_policy_is_looked_at_as_well():
    policies = "policies: { p: { rate_limit: [{ rate: 1/1m, by: { field: usr_id } }] } }\n"
    with pytest.raises(SettingsError) as refused:
        settings("[]", FIELDS + policies)

    assert 'policies.p.rate_limit[0].by.field: no field of observe is named "usr_id"; did you' in (
        str(refused.value)
    )


def test_a_hidden_field_that_is_hashed_tells_clients_apart():
    hashed = FIELDS.replace("Authorization", "Authorization, hash: true")

    assert settings("[{ rate: 1/1m }, { rate: 1/1m, by: { field: key } }]", hashed).routes


CHOSEN = "limits only by what clients choose: "


@pytest.mark.parametrize(
    ("limits", "warned"),
    [
        ("[{ rate: 1/1m, by: { header: X-Key } }]", True),
        ("[{ rate: 1/1m, by: { header: X-Key } }, { rate: 1/1m, by: { cookie: s } }]", True),
        ("[{ rate: 1/1m, by: { cookie: s } }, { rate: 9/1m, dry_run: true }]", True),
        ("[{ rate: 1/1m, by: { header: X-Key } }, { rate: 9/1m }]", False),
        ("[{ rate: 1/1m, by: { header: X-Key } }, { rate: 9/1m, by: all }]", False),
        ("[]", False),
    ],
)
def test_limits_that_clients_choose_are_warned_of(limits, warned):
    assert warned == any(CHOSEN in warning for warning in settings(limits).warnings)
