"""Stories and alerts link to traces where somebody said how."""

from proxy.diagnostics.stories.trace_links import TraceLinks

LINK = "https://jaeger.example.com/trace/{trace_id}?uiEmbed=v0"


def links(link: str | None = LINK, **traces: str) -> TraceLinks:
    return TraceLinks(link, lambda wanted: {k: v for k, v in traces.items() if k in wanted})


def test_a_story_links_to_its_trace() -> None:
    stories: list[dict[str, object]] = [{"trace_id": "abc"}, {"request_id": "without"}]
    links().add_to_stories(stories)

    assert "https://jaeger.example.com/trace/abc?uiEmbed=v0" == stories[0]["trace_url"]
    assert "trace_url" not in stories[1]


def test_without_a_link_nothing_is_added() -> None:
    stories: list[dict[str, object]] = [{"trace_id": "abc"}]
    links(None).add_to_stories(stories)

    assert [{"trace_id": "abc"}] == stories
    assert [{"samples": ["a"]}] == links(None, a="1").with_traces([{"samples": ["a"]}])


def test_an_alert_links_to_the_traces_of_its_reference_ids() -> None:
    given: list[dict[str, object]] = [
        {"samples": ["a", "gone"]},
        {"samples": []},
        {"samples": ["b"]},
    ]
    shown = links(a="1", b="2").with_traces(given)

    assert [
        {"a": "https://jaeger.example.com/trace/1?uiEmbed=v0"},
        None,
        {"b": "https://jaeger.example.com/trace/2?uiEmbed=v0"},
    ] == [alert.get("traces") for alert in shown]
    assert ["samples"] == list(given[0])
