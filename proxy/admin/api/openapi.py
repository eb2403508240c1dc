"""`/api/openapi.json`: the API as OpenAPI 3.1, made from the table that routes are made from."""

import re
from collections.abc import Sequence
from typing import Final

from proxy.admin.api.shapes import SHAPES
from proxy.admin.endpoint import Operation, Parameter, Schema
from proxy.admin.guard import OPEN_PATHS

_CAPTURE: Final = re.compile(r"\{([a-z_]+)\}")


def openapi_document(endpoints: Sequence[Operation], version: str) -> dict[str, object]:
    """The whole document."""
    paths: dict[str, dict[str, object]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sidelight, the admin port",
            "version": version,
            "description": "Stories, errors, alerts and circuits of a running Sidelight.",
        },
        "security": [{"token": []}, {"session": []}, {}],
        "paths": paths,
        "components": {
            "schemas": SHAPES,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "sidelight_session"},
            },
        },
    }


def _operation(endpoint: Operation) -> dict[str, object]:
    captures = set(_CAPTURE.findall(endpoint.path))
    refused = {401: "The token is missing or wrong.", 403: "Asked from where one may not."}
    refused = {} if endpoint.path in OPEN_PATHS else refused
    if endpoint.takes:
        refused[415] = "The content type is not application/json."
    answers: dict[str, object] = {
        str(endpoint.status): _answer("As asked for.", endpoint.gives, endpoint.media_type)
    }
    for status, reason in sorted({**refused, **endpoint.refusals}.items()):
        shape = endpoint.gives if status == 503 else "Refusal"
        answers[str(status)] = _answer(reason, shape, "application/json")
    operation: dict[str, object] = {
        "operationId": _name(endpoint),
        "summary": endpoint.summary,
        "parameters": [_parameter(each, captures) for each in endpoint.parameters],
        "responses": answers,
    }
    if endpoint.path in OPEN_PATHS:
        operation["security"] = [{}]
    if endpoint.takes:
        content = {"application/json": {"schema": _reference(endpoint.takes)}}
        operation["requestBody"] = {"required": False, "content": content}
    return operation


def _parameter(parameter: Parameter, captures: set[str]) -> dict[str, object]:
    in_path = parameter.name in captures
    return {
        "name": parameter.name,
        "in": "path" if in_path else "query",
        "required": in_path,
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _answer(description: str, shape: str, media_type: str) -> dict[str, object]:
    content = {media_type: {"schema": _reference(shape)}}
    return {"description": description, "content": content}


def _reference(shape: str) -> Schema:
    return {"$ref": f"#/components/schemas/{shape}"}


def _name(endpoint: Operation) -> str:
    words = re.findall(r"[a-z]+", endpoint.path)
    return endpoint.method.lower() + "".join(word.capitalize() for word in words)
