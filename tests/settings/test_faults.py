"""How faults are said."""

import pytest

from proxy.settings.faults import Place, SettingsError, SettingsFault, dotted, nearest

HERE = Place("a.yaml", 14, 13)


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        pytest.param(
            SettingsFault(HERE, ("routes", 2, "policy"), 'no policy is named "patiemt"', "patient"),
            'a.yaml:14:13: routes[2].policy: no policy is named "patiemt"; did you mean "patient"?',
            id="place, key, what is wrong and what was meant",
        ),
        pytest.param(
            SettingsFault(HERE, ("a",), "is required"), "a.yaml:14:13: a: is required", id="bare"
        ),
        pytest.param(
            SettingsFault(Place("a.yaml"), (), "is empty"), "a.yaml: is empty", id="a whole file"
        ),
        pytest.param(
            SettingsFault(Place("env SIDELIGHT_A"), ("a",), "is odd"),
            "env SIDELIGHT_A: a: is odd",
            id="a variable",
        ),
    ],
)
def test_a_fault_names_place_key_and_remedy(fault, text):
    assert str(fault) == text


def test_faults_are_said_in_the_order_of_the_file_and_variables_last():
    faults = [
        SettingsFault(Place("env X"), (), "d"),
        SettingsFault(Place("z", 10, 1), (), "c"),
        SettingsFault(Place("z", 9, 5), (), "b"),
        SettingsFault(Place("z", 9, 1), (), "a"),
    ]

    assert [fault.message for fault in SettingsError(faults).faults] == ["a", "b", "c", "d"]


def test_the_same_fault_of_a_policy_in_two_routes_is_said_once():
    faults = [SettingsFault(HERE, ("routes", at, "head"), "is odd") for at in range(2)]

    assert str(SettingsError(faults)) == "a.yaml:14:13: routes[0].head: is odd"


def test_two_keys_missing_at_one_place_are_two_faults():
    faults = [SettingsFault(HERE, (key,), "is required") for key in ("upstreams", "routes")]

    assert len(SettingsError(faults).faults) == 2


def test_a_path_is_written_with_dots_and_indices():
    assert dotted(("a", "b", 0, "c", 1)) == "a.b[0].c[1]"


def test_only_what_is_near_is_suggested():
    assert nearest("patiemt", ["fast", "patient"]) == "patient"
    assert nearest("zzz", ["fast", "patient"]) is None
