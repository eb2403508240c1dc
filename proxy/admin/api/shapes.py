"""The forms of the API's JSON, for its document.

Objects may grow: a reader ignores the keys it does not know.
"""

from typing import Final

from proxy.admin.endpoint import Schema

TEXT: Final[Schema] = {"type": "string"}
TIME: Final[Schema] = {"type": "string", "format": "date-time"}
WHOLE: Final[Schema] = {"type": "integer"}
NUMBER: Final[Schema] = {"type": "number"}
FLAG: Final[Schema] = {"type": "boolean"}
OBJECT: Final[Schema] = {"type": "object"}
LEVEL: Final[Schema] = {"type": "string", "enum": ["info", "warning", "error", "critical"]}
STORE: Final[Schema] = {"type": "string", "enum": ["off", "ok", "failing"]}


def _object(_required: str = "", **properties: Schema) -> Schema:
    shape: dict[str, object] = {"type": "object", "properties": properties}
    return {**shape, "required": _required.split()} if _required else shape


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _of(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_EXCHANGE: Final = {
    "request_id": TEXT, "at": TIME, "ended": NUMBER, "method": TEXT, "path": TEXT,
    "status": WHOLE, "code": TEXT, "term": TEXT, "level": LEVEL, "duration_ms": NUMBER,
    "fields": _map(TEXT),
}  # fmt: skip

_SILENCE: Final = {"type": "string", "default": "1h", "examples": ["30m", "2h", "0s"]}

SHAPES: Final[dict[str, Schema]] = {
    "Refusal": _object(
        "error message request_id retryable",
        error=TEXT, message=TEXT, request_id=TEXT, retryable=FLAG, faults=_list(_of("Fault")),
    ),
    "Fault": _object("parameter value expected", parameter=TEXT, value=TEXT, expected=TEXT),
    "Summary": _object("request_id code", **_EXCHANGE, route=TEXT, upstream=TEXT, attempts=WHOLE,
                       endpoint=TEXT, detail=TEXT, client_ip=TEXT, user_agent=TEXT,
                       instance=TEXT),
    "Summaries": _object(
        "store", requests=_list(_of("Summary")), store=STORE, by=TEXT, counted=WHOLE,
        at_least=FLAG, since=TIME, until=TIME, slot_seconds=NUMBER, groups=_list(_of("Counted")),
        left_off=WHOLE,
    ),
    "Counted": _object(
        "value count", value=TEXT, count=WHOLE, codes=_map(WHOLE), counts=_list(WHOLE),
        broken=_list(WHOLE), samples=_list(TEXT),
    ),
    "Followed": _object(
        "requests cursor missed", requests=_list(_of("Summary")), cursor=WHOLE, missed=WHOLE
    ),
    "Story": _object(
        "request_id code diagnosis runbook attempts", **_EXCHANGE,
        client_request_id=TEXT, upstream_request_id=TEXT, upstream_ids=_map(TEXT),
        trace_id=TEXT, span_id=TEXT, trace_url=TEXT,
        started=NUMBER, host=TEXT, client_ip=TEXT, client_cert=TEXT, user_agent=TEXT,
        route=OBJECT, category=TEXT,
        upstream_status=WHOLE, interim=_list(WHOLE), detail=TEXT, fault=TEXT, overhead_ms=NUMBER,
        bytes_in=WHOLE, bytes_out=WHOLE, guards=_list(OBJECT), attempts=_list(OBJECT),
        retry_stopped=TEXT, fallback=OBJECT, breaker=OBJECT, times=OBJECT, parts=_map(NUMBER),
        clocks=_list(OBJECT), stream=OBJECT,
        client=OBJECT, config_hash=TEXT, config_replaced_by=TEXT, worker=WHOLE, instance=TEXT,
        diagnosis=TEXT, runbook=TEXT,
        proven=TEXT, likely=TEXT, next_check=TEXT, neighbours=_of("Neighbours"),
        all_instances=_of("AllInstances"),
        culprits=_map(OBJECT), usual=_map(OBJECT),
        body=OBJECT, since_event_ms=NUMBER, round_trip_ms=NUMBER, stalled_ms=NUMBER,
        client_exit=TEXT, upgrade=OBJECT, cors=TEXT,
    ),
    "Neighbours": _object(
        "kind alike all words", kind=TEXT, alike=WHOLE, all=WHOLE, at_least=FLAG, cut=FLAG,
        since=TIME, until=TIME, first_at=TIME, slow_above_ms=NUMBER, findings=_list(_of("Finding")),
        exits=OBJECT, nearest_good=TEXT, words=_list(TEXT), likely=TEXT, check=TEXT,
    ),
    "AllInstances": _object(
        "words", kind=TEXT, alike=WHOLE, all=WHOLE, instances=_map(OBJECT), at_least=FLAG,
        cut=FLAG, since=TIME, until=TIME, first_at=TIME, slow_above_ms=NUMBER, exits=OBJECT,
        findings=_list(_of("Finding")), nearest_good=TEXT, words=_list(TEXT), likely=TEXT,
        check=TEXT, see=TEXT,
    ),
    "Finding": _object(
        "fields alike all rest_alike rest_all words", fields=OBJECT, alike=WHOLE, all=WHOLE,
        rest_alike=WHOLE, rest_all=WHOLE, difference=NUMBER, is_this=FLAG, bad=_list(TEXT),
        good=_list(TEXT), words=TEXT,
    ),
    "Parting": _object(
        "bad good parts_at facts", bad=TEXT, good=TEXT, proposed=FLAG, words=TEXT,
        parts_at=_or_null(TEXT), facts=_list(OBJECT),
    ),
    "Stories": _object("stories store", stories=_list(_of("Story")), store=STORE),
    "ErrorGroup": _object(
        "fingerprint code", fingerprint=TEXT, code=TEXT, route=TEXT, upstream=TEXT, endpoint=TEXT,
        detail_class=TEXT, severity=LEVEL, category=TEXT, first_seen=TIME, last_seen=TIME,
        total=WHOLE, last_24h=WHOLE, per_hour=_list(OBJECT), samples=_list(TEXT), message=TEXT,
        trace=TEXT, instances=_list(TEXT), returned=FLAG,
        state={"type": "string", "enum": ["active", "muted", "resolved"]},
    ),
    "Errors": _object("groups summary", groups=_list(_of("ErrorGroup")), summary=OBJECT),
    "Alert": _object(
        "id rule state", id=TEXT, rule=TEXT, subject=TEXT, severity=LEVEL, summary=TEXT,
        value=NUMBER, threshold=NUMBER, window_s=NUMBER,
        state={"type": "string", "enum": ["raised", "cleared"]}, raised_at=TIME, cleared_at=TIME,
        runbook=TEXT, samples=_list(TEXT), silenced=FLAG, instances=_list(TEXT),
        traces=_map(TEXT), links=_list(TEXT), lasted_s=NUMBER,
    ),
    "Alerts": _object("alerts", alerts=_list(_of("Alert"))),
    "AlertTest": _object("results", results=_list(OBJECT)),
    "SilenceFor": {"type": "object", "properties": {"for": _SILENCE}},
    "Silence": _object("rule silenced_until", rule=TEXT, silenced_until=_or_null(TIME)),
    "Breaker": _object(
        "route state", route=TEXT, enabled=FLAG, critical=FLAG,
        state={"type": "string", "enum": ["closed", "open", "half_open"]}, failure_count=WHOLE,
        success_count=WHOLE, opened_at=_or_null(TIME), retry_in_seconds=NUMBER,
        changes=_list(OBJECT),
    ),
    "Breakers": _object("breakers", breakers=_list(_of("Breaker"))),
    "Routes": _object("routes", routes=_list(OBJECT)),
    "RefusedKey": _object(
        "client refused at_least", client=TEXT, refused=WHOLE, at_least=WHOLE,
        retry_in_seconds=NUMBER,
    ),
    "RateLimit": _object(
        "route policy rate burst by dry_run allowed refused limited_now refused_most",
        route=TEXT, policy=TEXT, rate=TEXT, burst=WHOLE, by=TEXT, dry_run=FLAG, allowed=WHOLE,
        refused=WHOLE, limited_now=_list(_of("RefusedKey")), refused_most=_list(_of("RefusedKey")),
    ),
    "Concurrency": _object(
        "scope limit per_client in_use waiting", scope=TEXT, limit=_or_null(WHOLE),
        per_client=_or_null(WHOLE), in_use=WHOLE, waiting=WHOLE, by=TEXT,
        refused_most=_list(_of("RefusedKey")),
    ),
    "Limits": _object(
        "rate_limits concurrency overload", rate_limits=_list(_of("RateLimit")),
        concurrency=_list(_of("Concurrency")), overload=OBJECT,
    ),
    "Config": OBJECT,
    "Code": _object("code runbook", code=TEXT, term=TEXT, message=TEXT, runbook=OBJECT),
    "Live": _object(
        "at status in_flight streams slots", at=TIME, status=TEXT, in_flight=WHOLE, streams=WHOLE,
        routes=_map(OBJECT), upstreams=_map(OBJECT), circuit_breakers=_map(OBJECT),
        pools=_map(OBJECT), slot_seconds=NUMBER, slots=_list(OBJECT),
    ),
    "Reload": _object(
        "result config_hash", result={"type": "string", "enum": ["loaded", "rejected", "refused"]},
        cause=TEXT, at=TIME, config_hash=TEXT, changed=_list(TEXT), lost=_list(TEXT),
        needs_restart=_list(TEXT), faults=_list(TEXT), warnings=_list(TEXT), reason=TEXT,
    ),
    "Drain": _object("draining running", draining=FLAG, running=WHOLE),
    "Alive": _object("status", status=TEXT),
    "Ready": _object("ready", ready=FLAG, reason=TEXT),
    "Health": _object(
        "status", status={"type": "string", "enum": ["ok", "degraded"]}, overload=_or_null(TEXT)
    ),
    "Figures": _object("uptime_seconds", uptime_seconds=NUMBER, last_five_minutes=OBJECT),
    "Metrics": TEXT,
    "Empty": OBJECT,
    "Document": OBJECT,
}  # fmt: skip
