"""Columns beside a story say what stands within it, as far as an index can hold it."""

from proxy.diagnostics.stories.postgres_filters import LONGEST, filters_of


def test_nothing_is_null_which_would_say_that_an_older_one_has_written_it() -> None:
    nothing = {"method": "", "path": "", "agent": "", "detail": "", "endpoints": []}

    assert nothing == filters_of({})


def test_every_endpoint_of_its_attempts_and_the_path_without_its_query() -> None:
    attempts = [{"endpoint": "http://b"}, {"endpoint": "http://a"}, {"result": "dns_failure"}]
    found = filters_of({"path": "/a?b=c", "attempts": attempts, "method": "GET"})

    assert (["http://a", "http://b"], "/a") == (found["endpoints"], found["path"])


def test_a_text_that_an_index_has_no_room_for_is_cut() -> None:
    assert LONGEST == len(str(filters_of({"user_agent": "x" * 9000})["agent"]))
