"""The document says what the routes do."""

import re

import pytest

from proxy.admin.api.openapi import openapi_document
from proxy.admin.api.shapes import SHAPES
from proxy.admin.guard import Guard
from proxy.admin.server import admin_runner, endpoints

PAGES = {"/", "/live", "/requests", "/requests/{id}", "/errors", "/errors/{fingerprint}",
         "/alerts", "/routes", "/runbooks/{key}", "/assets/{name}", "/session"}  # fmt: skip
"""For people."""


@pytest.fixture
def told(sources) -> dict:
    return openapi_document(endpoints(sources), "1.2.3")


def test_every_route_is_documented_and_nothing_else(sources, told) -> None:
    app = admin_runner(sources, Guard()).app
    routed = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.method != "HEAD" and route.resource.canonical not in PAGES
    }

    assert routed == {(m, path) for path, methods in told["paths"].items() for m in methods}


def test_every_reference_leads_somewhere_and_every_shape_is_used(told) -> None:
    named = set(re.findall(r"#/components/schemas/(\w+)", str(told)))

    assert named == set(SHAPES)


def test_every_capture_is_a_parameter_and_every_operation_has_a_name_of_its_own(told) -> None:
    names = []
    for path, methods in told["paths"].items():
        for operation in methods.values():
            names.append(operation["operationId"])
            in_path = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
            assert in_path == re.findall(r"\{(\w+)\}", path)
    assert len(names) == len(set(names))


def test_what_is_open_says_so_and_what_changes_takes_json(told) -> None:
    assert [{}] == told["paths"]["/health"]["get"]["security"]
    assert "security" not in told["paths"]["/api/errors"]["get"]
    assert "application/json" in told["paths"]["/drain"]["post"]["requestBody"]["content"]
    assert {"202", "401", "403", "409", "415"} == set(told["paths"]["/drain"]["post"]["responses"])


GETS = [
    ("/api/requests", "Summaries"), ("/api/tail", "Followed"),
    ("/api/requests?group=path", "Summaries"),
    ("/api/requests/req-1", "Stories"), ("/api/errors", "Errors"),
    ("/api/errors/0123456789ab", "ErrorGroup"), ("/api/alerts", "Alerts"),
    ("/api/breakers", "Breakers"), ("/api/routes", "Routes"), ("/api/live", "Live"),
    ("/api/codes/completed", "Code"), ("/drain", "Drain"), ("/livez", "Alive"),
    ("/readyz", "Ready"), ("/health", "Health"), ("/metrics.json", "Figures"),
    ("/api/requests?x=1", "Refusal"), ("/api/requests/none", "Refusal"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "shape"), GETS)
async def test_answers_have_the_documented_shape(admin, path: str, shape: str) -> None:
    check(await (await admin.get(path)).json(), SHAPES[shape], path)


KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict,
         "array": list, "null": type(None)}  # fmt: skip


def check(value: object, schema: dict, where: str) -> None:
    """As much of JSON Schema as our shapes use."""
    if "$ref" in schema:
        check(value, SHAPES[schema["$ref"].rpartition("/")[2]], where)
        return
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    assert any(isinstance(value, KINDS[kind]) for kind in kinds), f"{where}: {value!r}"
    assert value in schema.get("enum", [value]), where
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= set(value), where
        for name, inner in value.items():
            known = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            check(inner, known, f"{where}.{name}") if known else None
    if isinstance(value, list):
        for n, inner in enumerate(value):
            check(inner, schema["items"], f"{where}[{n}]")
