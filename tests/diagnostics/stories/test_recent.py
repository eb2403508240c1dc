"""Recent exchanges: bounded by bytes, found by ID, failures not pushed out by successes."""

from proxy.diagnostics.stories.query import SAME_ID, Query
from proxy.diagnostics.stories.recent import Recent, Shelf, bytes_of

ROOM = 64 * 1024


def test_an_id_that_came_twice_brings_both_newest_first(exchange_of) -> None:
    recent = Recent(ROOM)
    recent.add([], [exchange_of(ended=11.0)])
    recent.add([exchange_of("upstream_reset", ended=12.0)], [exchange_of(request_id="other")])

    assert [x.outcome.code for x in recent.records("id-1")] == ["upstream_reset", "completed"]
    assert recent.records("unknown") == []


def test_a_story_names_the_worker_and_the_settings_of_its_time(exchange_of) -> None:
    recent = Recent(ROOM, worker=2)
    recent.add([], [exchange_of(config_hash="before")])
    recent.add([], [exchange_of(request_id="id-2", config_hash="after")])
    after, before = recent.told(recent.records("id-1", "id-2"))

    assert (before["request_id"], before["config_hash"]) == ("id-1", "before")
    assert (after["request_id"], after["config_hash"]) == ("id-2", "after")
    assert before["worker"] == 2


def test_the_oldest_go_first_when_there_is_no_more_room(exchange_of) -> None:
    size = bytes_of(exchange_of())
    shelf = Shelf(3 * size)
    for n in range(5):
        shelf.add([exchange_of(request_id=f"id-{n}")])

    assert [x.request_id for x in shelf.newest_first()] == ["id-4", "id-3", "id-2"]
    assert shelf.size == 3 * size


def test_what_a_client_sends_counts(exchange_of) -> None:
    more = bytes_of(exchange_of(target="/" + "x" * 5000, user_agent="y" * 300, fields={"a": "b"}))

    assert more - bytes_of(exchange_of()) > 5000 + 300


def test_all_that_others_choose_counts(exchange_of) -> None:
    long = dict.fromkeys(("host", "client_request_id", "upstream_request_id"), "x" * 900)
    more = bytes_of(exchange_of(**long, fields={"user": "x" * 900}))

    assert more - bytes_of(exchange_of()) > 4 * 900


def test_an_id_that_a_client_always_sends_brings_no_more_than_somebody_reads(exchange_of) -> None:
    recent = Recent(1 << 20)
    recent.add([], [exchange_of(ended=11.0 + n) for n in range(SAME_ID + 5)])

    assert len(recent.records("id-1")) == SAME_ID


def test_successes_do_not_push_out_failures(exchange_of) -> None:
    recent = Recent(ROOM)
    recent.add([exchange_of("upstream_reset", request_id="lost")], [])
    for _ in range(500):
        recent.add([], [exchange_of()])

    assert recent.records("lost")
    assert sum(map(bytes_of, recent.successes())) <= ROOM / 2


def test_a_search_gives_summaries_newest_first_up_to_its_limit(exchange_of) -> None:
    recent = Recent(ROOM)
    recent.add(
        [exchange_of("upstream_reset", ended=20.0)], [exchange_of(ended=n) for n in (11.0, 12.0)]
    )

    found = recent.search(Query(limit=2))

    assert [story["ended"] for story in found] == [1e9 + 10, 1e9 + 2]
    assert "diagnosis" not in found[0]
    assert len(recent.search(Query(code="upstream_reset"))) == 1


def test_memory_knows_only_its_own_instance(exchange_of) -> None:
    recent = Recent(ROOM, instance="pod-1")
    recent.add([exchange_of("upstream_reset")], [exchange_of()])

    assert [2, 0] == [len(recent.search(Query(instance=name))) for name in ("pod-1", "pod-2")]
