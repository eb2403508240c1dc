"""What may be meant by an ID as somebody wrote it."""

import pytest

from proxy.diagnostics.stories.asked_id import beginnings_of, forms_of

ID = "3f2a1b0c-1111-4222-8333-444455556666"


@pytest.mark.parametrize(
    "asked",
    [
        ID, f" {ID}\n", ID.upper(), f"Reference ID: {ID}", f"reference id {ID.upper()}.",
        f"X-Request-ID: {ID}", f"request_id={ID}", f'"{ID}"', f"({ID})", f"Ref: {ID}",
        "3f2a1b0c-1111-4222-\n 8333-444455556666", f"TRACE ID # {ID}",
        f"Reference\u00a0ID:\u00a0{ID}", f"ID:{ID}", f"#{ID}", f"Referenz-ID: {ID}",
        f"it broke again, see {ID.upper()}, at 10:00:01", f"\u201e{ID}\u201c",
        f"https://ops.example/sidelight/requests/{ID}", f"<http://ops/requests/{ID}/?x=1>",
    ],
)  # fmt: skip
def test_labels_blanks_quotes_and_capitals_are_forgiven(asked) -> None:
    assert ID in forms_of(asked)
    assert forms_of(asked)[0] == asked


def test_of_a_long_text_a_few_words_are_looked_at() -> None:
    assert len(forms_of("word-0001 " * 1000)) < 10
    assert "word-0009" not in forms_of(" ".join(f"word-000{n}" for n in range(10)))


@pytest.mark.parametrize("asked", ["request-7", "id-1", "Reference", "a.b", "Ref"])
def test_nothing_is_taken_from_an_id_that_only_begins_like_a_label(asked) -> None:
    assert set(forms_of(asked)) == {asked, asked.lower()}


def test_a_traceparent_names_its_trace() -> None:
    assert "a" * 32 in forms_of(f"00-{'a' * 32}-{'b' * 16}-01")


def test_there_is_a_form_of_whatever_is_asked() -> None:
    assert forms_of("") == ("",)
    assert forms_of("  ") == ("  ",)


@pytest.mark.parametrize(
    ("asked", "starts"), [("3F2A1B0C", ("3F2A1B0C", "3f2a1b0c")), ("3f2a1b0", ()), ("a\0" * 9, ())]
)
def test_a_beginning_has_eight_characters_at_least(asked, starts) -> None:
    assert beginnings_of(asked) == starts
