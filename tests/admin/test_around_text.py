"""What happened around an exchange, as lines of text."""

from proxy.admin.around_text import culprit_lines, diagnosis_parts, parting_text

PARTING = {
    "words": "They part at the head.",
    "bad": "id-bad",
    "good": "id-good",
    "parts_at": "head",
    "facts": [
        {"step": "asked", "fact": "method", "bad": "GET", "good": "GET", "differs": False},
        {"step": "head", "fact": "head_ms", "bad": None, "good": 12.0, "differs": True},
        {"step": "head", "fact": "status", "bad": None, "good": 200, "differs": True},
    ],
}


def test_two_stories_stand_beside_each_other_and_where_they_part_is_marked() -> None:
    lines = parting_text(PARTING).splitlines()

    assert "They part at the head." == lines[0]
    assert ["id-bad", "id-good"] == lines[3].split()
    assert ["asked", "head  ← they part here"] == [lines[4], lines[6]]
    assert [" ", "≠", "≠"] == [lines[n][0] for n in (5, 7, 8)]
    assert ["≠ head", "≠ status"] == [line[:14].rstrip() for line in lines[7:9]]


def test_a_story_of_an_older_sidelight_has_one_part() -> None:
    assert [("Proven", "It broke.")] == diagnosis_parts({"diagnosis": "It broke."})
    assert [("Likely", "b")] == diagnosis_parts({"diagnosis": "a", "likely": "b"})


def test_culprits_are_told_one_after_the_other() -> None:
    story = {"culprits": {"holders": {"words": ["a", "b"]}, "idle": {"words": ["c"]}}}

    assert ["a", "b", "c"] == culprit_lines(story)
