"""Stories are found in memory and in the store by whatever names them."""

import asyncio

import pytest

from proxy.diagnostics.neighbours.across import NOT_SHARED
from proxy.diagnostics.stories.database import StoryDatabase
from proxy.diagnostics.stories.files import open_for_reading
from proxy.diagnostics.stories.lookup import StoryLookup
from proxy.diagnostics.stories.query import SAME_ID
from proxy.diagnostics.stories.reading import Reader
from proxy.diagnostics.stories.recent import Recent
from proxy.diagnostics.stories.rules import StoreRule
from proxy.diagnostics.stories.store import Store

OURS = "3f2a1b0c-1111-4222-8333-444455556666"
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def look_in(tmp_path, exchange_of):
    """Looks up in the memory, or in the store, what is kept there."""

    def made(where, *exchanges):
        recent, store = Recent(1 << 20), None
        if where == "memory":
            recent.add(exchanges, [])
        else:
            rule = StoreRule(path=str(tmp_path / "s.db"), age=1e10)
            path = tmp_path / "s.db"
            reader = Reader(open_for_reading(path))
            store = Store(StoryDatabase(path, rule), reader, rule, lambda *_: None, linger=0.0)
            store.start()
            store.put(exchanges)
            assert store.close(10)
        return StoryLookup(recent, store, 1.0)

    return made


@pytest.fixture
def known(exchange_of):
    return exchange_of(
        "upstream_reset", request_id=OURS, trace_id=TRACE, client_request_id="their-own-id",
        upstream_ids={"CF-Ray": "8a7b6c5d4e-FRA"},
    )  # fmt: skip


@pytest.mark.parametrize("where", ["memory", "store"])
async def test_where_no_store_is_shared_nothing_is_compared_across(look_in, known, where) -> None:
    (story,) = (await look_in(where, known).story(OURS, across=True)).stories

    assert {"words": [NOT_SHARED]} == story["all_instances"]


@pytest.mark.parametrize("where", ["memory", "store"])
@pytest.mark.parametrize(
    "asked",
    [OURS, TRACE, "their-own-id", "8a7b6c5d4e-FRA", OURS.upper(), f"Reference ID: {OURS}",
     OURS[:8], OURS[:8].upper(), f"Reference ID: {OURS[:20]}", TRACE[:8], "8a7b6c5d", "their-ow"],
)  # fmt: skip
async def test_a_story_is_found(look_in, known, exchange_of, where, asked) -> None:
    look = look_in(where, known, exchange_of(request_id="another-one"))

    found = await look.story(asked)
    assert [story["request_id"] for story in found.stories] == [OURS]
    assert found.why == ""


@pytest.mark.parametrize("where", ["memory", "store"])
async def test_a_beginning_that_is_not_unique_names_those_that_are_alike(
    look_in, exchange_of, where
) -> None:
    alike = [exchange_of(request_id=f"{OURS[:10]}{n}") for n in range(2)]

    found = await look_in(where, *alike).story(OURS[:8])
    assert found.stories == []
    assert f"{OURS[:10]}0, {OURS[:10]}1" in found.why
    assert set(found.named) == {f"{OURS[:10]}0", f"{OURS[:10]}1"}


@pytest.mark.parametrize("where", ["memory", "store"])
async def test_the_oldest_story_is_named_where_there_is_none(look_in, known, where) -> None:
    found = await look_in(where, known).story("nowhere-to-be-found")

    assert f"The oldest story kept is {OURS}" in found.why
    assert OURS in found.named


async def test_an_id_brings_no_more_than_somebody_reads_of_memory_and_store_together(
    look_in, exchange_of
) -> None:
    look = look_in("store", *(exchange_of(request_id=OURS, ended=11.0 + n) for n in range(3)))
    later = [exchange_of(request_id=OURS, ended=20.0 + n) for n in range(SAME_ID - 1)]
    look._recent.add([], later)

    assert len((await look.story(OURS)).stories) == SAME_ID


async def test_an_exact_id_is_not_mistaken_for_the_beginning_of_another(
    look_in, exchange_of
) -> None:
    both = [exchange_of(request_id=name) for name in ("12345678", "123456789")]

    found = await look_in("memory", *both).story("12345678")
    assert [story["request_id"] for story in found.stories] == ["12345678"]


async def test_a_store_that_is_gone_is_said(look_in, known, tmp_path) -> None:
    look = look_in("store", known)
    await asyncio.to_thread((tmp_path / "s.db").unlink)

    found = await look.story("nowhere-to-be-found")
    assert (found.store, "cannot be read" in found.why) == ("failing", True)
