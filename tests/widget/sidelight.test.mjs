// Rules of the widget client. WIDGET names the module; the box is tested in a browser.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

const {
  SidelightError, fetchWithRequestId, generateRequestId, getRequestIdFromResponse,
  handleFetchError, handleNetworkError, openStream, readStream,
} = await import(process.env.WIDGET ?? "../../deploy/widget/sidelight.js");

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const CUT = { error: "stream_truncated", message: "Cut.", request_id: "id-1", retryable: true };
let requests;

beforeEach(() => {
  requests = [];
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => mock.timers.reset());

function answer(status, headers = {}, body = null) {
  return new Response(body, { status, headers });
}

function sse(...chunks) {
  return streamed("text/event-stream", ...chunks);
}

// A string is one chunk, "silent" never ends, an Error breaks the body.
function streamed(kind, ...chunks) {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    pull(controller) {
      const next = chunks.shift();
      if (next === undefined) controller.close();
      else if (next === "silent") return new Promise(() => {});
      else if (next instanceof Error) controller.error(next);
      else controller.enqueue(typeof next === "string" ? encoder.encode(next) : next);
    },
    cancel: () => { body.cancelled = true; },
  }, { highWaterMark: 0 });
  return answer(200, { "Content-Type": kind, "X-Request-ID": "id-1" }, body);
}

function refused(code, headers = {}) {
  return answer(503, { "X-Sidelight-Error": code, "X-Request-ID": "id-1", ...headers }, "{}");
}

function fetching(...results) {
  globalThis.fetch = async (url, init) => {
    requests.push({ url, ...init, id: init.headers.get("X-Request-ID") });
    const result = results.shift();
    if (result instanceof Error) throw result;
    return result;
  };
}

// The promise's value or error; every pause on the way is over at once.
async function settled(promise) {
  let end;
  promise.then((value) => { end = { value }; }, (error) => { end = { error }; });
  for (let turn = 0; turn < 200 && !end; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    mock.timers.tick(5000);
  }
  assert.ok(end, "neither a value nor an error");
  return end;
}

async function collected(stream) {
  const events = [];
  const { error } = await settled((async () => { for await (const event of stream) events.push(event); })());
  return { events, error };
}

test("an ID is a random UUID", () => {
  assert.match(generateRequestId(), UUID);
  assert.notEqual(generateRequestId(), generateRequestId());
});

test("a request carries an ID beside its own headers, and the signal", async () => {
  fetching(answer(200));
  const { signal } = new AbortController();
  await fetchWithRequestId("/x", { headers: { Accept: "a/b" }, signal });

  assert.match(requests[0].id, UUID);
  assert.equal(requests[0].headers.get("Accept"), "a/b");
  assert.equal(requests[0].signal, signal);
});

test("the ID of an answer is its own, else that of its request, else none", async () => {
  fetching(answer(200, { "X-Request-ID": "theirs" }), answer(200));

  assert.equal(getRequestIdFromResponse(await fetchWithRequestId("/x")), "theirs");
  assert.equal(getRequestIdFromResponse(await fetchWithRequestId("/x", { requestId: "mine" })), "mine");
  assert.equal(getRequestIdFromResponse(answer(200)), null);
});

for (const [name, results, options, made] of [
  ["a POST that never reached the upstream", [refused("connect_refused"), answer(200)], { method: "POST" }, 2],
  ["a GET that broke on the way", [new TypeError("x"), answer(200)], {}, 2],
  ["as often as told", [refused("draining"), refused("draining"), answer(200)], { retries: 2 }, 3],
  ["a POST refused by an open circuit", [refused("circuit_open", { "Retry-After": "2" }), answer(200)], { method: "POST" }, 2],
]) {
  test(`it tries again, with the same ID: ${name}`, async () => {
    fetching(...results);
    const { value } = await settled(fetchWithRequestId("/x", options));

    assert.equal(value.status, 200);
    assert.equal(requests.length, made);
    assert.equal(new Set(requests.map((request) => request.id)).size, 1);
  });
}

for (const [name, result, options] of [
  ["a POST that broke: it may have arrived", new TypeError("x"), { method: "POST" }],
  ["an answer of the upstream", answer(503), {}],
  ["a request that the upstream had", refused("head_timeout"), {}],
  ["a wait of more than ten seconds", refused("circuit_open", { "Retry-After": "11" }), {}],
  ["where retries are off", refused("draining"), { retries: 0 }],
  ["a body that can be sent only once", refused("draining"), { method: "POST", body: new ReadableStream() }],
]) {
  test(`it does not try again: ${name}`, async () => {
    fetching(result, answer(200));
    const { value, error } = await settled(fetchWithRequestId("/x", options));

    assert.equal(requests.length, 1);
    assert.equal(value ?? error.code, result instanceof Error ? "network_error" : result);
  });
}

test("an abort ends the pause before a retry", async () => {
  fetching(refused("draining"), answer(200));
  const stop = new AbortController();
  const asked = fetchWithRequestId("/x", { signal: stop.signal, requestId: "id-9" });
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();

  await assert.rejects(asked, { code: "aborted", requestId: "id-9" });
  assert.equal(requests.length, 1);
});

test("an error of Sidelight is told in its own words", async () => {
  const body = { error: "circuit_open", message: "Later.", request_id: "id-1", retryable: true, retry_after: 7 };
  const error = await handleFetchError(answer(503, { "X-Sidelight-Error": "circuit_open" }, JSON.stringify(body)));

  assert.ok(error instanceof SidelightError);
  assert.deepEqual(
    [error.code, error.message, error.requestId, error.retryable, error.retryAfter, error.status],
    ["circuit_open", "Later.", "id-1", true, 7, 503],
  );
});

for (const [status, headers, body, expected] of [
  [500, {}, "Traceback (most recent call last)", ["http_500", false, null]],
  [503, { "Retry-After": "3" }, '{"message":"<b>raw</b>"}', ["http_503", true, 3]],
  [429, {}, "", ["http_429", true, null]],
  [401, {}, "", ["http_401", false, null]],
  [503, { "X-Sidelight-Error": "draining" }, "not JSON", ["draining", false, null]],
]) {
  test(`an error of the upstream is never shown in its own words: ${status} ${body}`, async () => {
    const error = await handleFetchError(answer(status, { "X-Request-ID": "id-1", ...headers }, body));

    assert.deepEqual([error.code, error.retryable, error.retryAfter], expected);
    assert.equal(error.requestId, "id-1");
    assert.match(error.message, /^[A-Z][a-z ,]+\.( [A-Z][a-z ]+\.)?$/);
    assert.ok(!body || !error.message.includes(body.slice(0, 9)));
  });
}

test("a Retry-After may be a date", async () => {
  const date = new Date(Date.now() + 60_000).toUTCString();
  const { retryAfter } = await handleFetchError(answer(503, { "Retry-After": date }));

  assert.ok(retryAfter > 50 && retryAfter <= 60);
});

for (const [name, error, code] of [
  ["a failed fetch", new TypeError("Failed to fetch"), "network_error"],
  ["an abort", new DOMException("x", "AbortError"), "aborted"],
  ["a signal with a time limit", new DOMException("x", "TimeoutError"), "timeout"],
  ["nothing that is known", undefined, "network_error"],
]) {
  test(`${name} is ${code}, in words for users`, () => {
    const told = handleNetworkError(error, "id-1");

    assert.deepEqual([told.code, told.requestId], [code, "id-1"]);
    assert.ok(!told.message.includes("fetch"));
  });
}

test("an error that has words already keeps them", () => {
  const error = new SidelightError("x", "id-1");

  assert.equal(handleNetworkError(error, "id-2"), error);
});

for (const id of ["<img src=x>", "a b", "x".repeat(129), "", undefined]) {
  test(`what is no ID is not shown as one: ${String(id).slice(0, 12)}`, () => {
    assert.equal(new SidelightError("x", id).requestId, null);
  });
}

for (const [name, chunks, expected] of [
  ["events", ["data: a\n\n", "data: b\n\n"], [["message", "a", ""], ["message", "b", ""]]],
  ["names, IDs and lines", ["id: 4\nevent: e\ndata: a\ndata:b\n\ndata: c\n\n"], [["e", "a\nb", "4"], ["message", "c", "4"]]],
  ["comments and unknown fields", [": hi\n\nfoo: 1\nretry: 5\n\ndata: a\n\n"], [["message", "a", ""]]],
  ["a field without a colon, and empty data", ["data\n\n"], [["message", "", ""]]],
  ["no event without data", ["event: e\n\n"], []],
  ["one leading space is no part of a value", ["data:  a\n\n"], [["message", " a", ""]]],
  ["CRLF in one and in two chunks", ["data: a\r\n\r", "\ndata: b\r", "\n", "\r\n"], [["message", "a", ""], ["message", "b", ""]]],
  ["CR alone, and a line end after CRLF's two chunks", ["data: a\r\rdata: b\r", "\n", "\ndata: c\n\n"], [["message", "a", ""], ["message", "b", ""], ["message", "c", ""]]],
  ["what is unfinished at the end is dropped", ["data: a\n\ndata: b\n"], [["message", "a", ""]]],
  ["a byte order mark", ["\ufeffdata: a\n\n"], [["message", "a", ""]]],
  ["a letter in two chunks", [new Uint8Array([100, 97, 116, 97, 58, 0xc3]), new Uint8Array([0xa4, 10, 10])], [["message", "ä", ""]]],
  ["an ID with NUL is none", ["id: a\0\ndata: b\n\n"], [["message", "b", ""]]],
]) {
  test(`a server-sent stream: ${name}`, async () => {
    const { events, error } = await collected(readStream(sse(...chunks)));

    assert.equal(error, undefined);
    assert.deepEqual(events.map(({ event, data, id }) => [event, data, id]), expected);
  });
}

test("events are the same wherever the stream is cut into chunks", async () => {
  const text = "id: 1\r\nevent: e\r\ndata: a\r\n\r\n: c\r\rdata: b\n\ndata: c\rdata: d\n\n";
  const whole = await collected(readStream(sse(text)));
  assert.equal(whole.events.length, 3);
  for (let at = 1; at < text.length; at += 1) {
    assert.deepEqual(await collected(readStream(sse(text.slice(0, at), text.slice(at)))), whole);
  }
});

test("NDJSON: each line is an event, the last one also without a line end", async () => {
  const { events, error } = await collected(readStream(streamed("application/x-ndjson", '{"a":', '1}\n\n{"a":2}')));

  assert.equal(error, undefined);
  assert.deepEqual(events.map((event) => event.data), ['{"a":1}', '{"a":2}']);
});

const told = JSON.stringify(CUT);
const OPENAI = { message: "Cut.", type: "server_error", param: null, code: "stream_truncated", request_id: "id-1", retryable: true };
for (const [name, response] of [
  ["event: error", sse("data: a\n\n", `event: error\ndata: ${told}\n\n`)],
  ["the form of OpenAI", sse("data: a\n\n", `data: ${JSON.stringify({ error: OPENAI })}\n\n`)],
  ["a line of NDJSON", streamed("application/x-ndjson", "a\n", `${told}\n`)],
]) {
  test(`an error inside a stream is thrown, in Sidelight's own words: ${name}`, async () => {
    const { events, error } = await collected(readStream(response));

    assert.deepEqual(events.map((event) => event.data), ["a"]);
    assert.deepEqual(
      [error.code, error.message, error.requestId, error.retryable],
      ["stream_truncated", "Cut.", "id-1", true],
    );
  });
}

for (const event of [
  'event: error\ndata: {"error":"x","message":"at db.internal:5432"}',
  'event: error\ndata: {"error":"x","message":"at db.internal:5432","request_id":"another"}',
  "event: error\ndata: at db.internal:5432",
  'data: {"error":{"message":"at db.internal:5432","code":"x"}}',
  'data: {"type":"error","error":"at db.internal:5432"}',
]) {
  test(`an error that the upstream tells inside a stream is not shown in its own words: ${event}`, async () => {
    const { error } = await collected(readStream(sse(`${event}\n\n`)));

    assert.deepEqual([error.code, error.requestId], ["stream_error", "id-1"]);
    assert.ok(!error.message.includes("db.internal"));
  });
}

for (const data of ['{"error":null,"word":"a"}', 'he said "error"', '{"text":"\\"error\\""}']) {
  test(`no error: ${data}`, async () => {
    const { events, error } = await collected(readStream(sse(`data: ${data}\n\n`)));

    assert.equal(error, undefined);
    assert.equal(events[0].data, data);
  });
}

test("silence is a stall, and the request is ended", async () => {
  const response = sse("data: a\n\n", "silent");
  const { body } = response;
  const { events, error } = await collected(readStream(response, { stall: 4 }));
  await new Promise((resolve) => setImmediate(resolve));

  assert.equal(events.length, 1);
  assert.deepEqual([error.code, error.requestId, error.retryable], ["stream_stalled", "id-1", true]);
  assert.ok(body.cancelled);
});

test("a body that breaks is a cut answer", async () => {
  const { events, error } = await collected(readStream(sse("data: a\n\n", new TypeError("network error"))));

  assert.equal(events.length, 1);
  assert.deepEqual([error.code, error.requestId], ["stream_truncated", "id-1"]);
});

test("with an end marker, an end without it is a cut, and nothing after it is read", async () => {
  const isEnd = (event) => event.data === "[DONE]";
  const whole = await collected(readStream(sse("data: a\n\ndata: [DONE]\n\ndata: b\n\n"), { isEnd }));
  const cut = await collected(readStream(sse("data: a\n\n"), { isEnd }));

  assert.deepEqual([whole.error, whole.events.length], [undefined, 2]);
  assert.equal(cut.error.code, "stream_truncated");
});

test("a fault of the page's own code stays what it is", async () => {
  const fault = new TypeError("undefined is not a function");
  const { error } = await collected(readStream(sse("data: a\n\n"), { isEnd: () => { throw fault; } }));

  assert.equal(error, fault);
});

test("a stream is opened with its ID and read to its end", async () => {
  fetching(sse("data: a\n\n"));
  const { events, error } = await collected(openStream("/x", { method: "POST", body: "{}", requestId: "id-9" }));

  assert.deepEqual([error, events.length, requests[0].id, requests[0].method], [undefined, 1, "id-9", "POST"]);
});

test("a refused stream throws what was said", async () => {
  fetching(refused("route_not_found"));
  const { error } = await collected(openStream("/x"));

  assert.deepEqual([error.code, error.status], ["route_not_found", 503]);
});

const cutOff = () => sse("id: 7\ndata: a\n\n", `event: error\ndata: ${told}\n\n`);

test("a stream that is cut is not asked for again: each reconnect would be a new model call", async () => {
  for (const options of [{}, { method: "POST", reconnect: 3 }]) {
    requests.length = 0;
    fetching(cutOff(), sse());
    const { error } = await collected(openStream("/x", options));

    assert.deepEqual([error.code, requests.length], ["stream_truncated", 1]);
  }
});

test("where it is asked for, a GET reconnects with the last ID of the stream", async () => {
  fetching(cutOff(), sse("data: b\n\n"));
  const { events, error } = await collected(openStream("/x", { reconnect: 1 }));

  assert.deepEqual([error, events.map((event) => event.data)], [undefined, ["a", "b"]]);
  assert.equal(requests[1].headers.get("Last-Event-ID"), "7");
  assert.equal(requests[0].id, requests[1].id);
});

test("reconnects in a row without an event are bounded, and an event begins the count anew", async () => {
  const later = () => answer(504, { "X-Sidelight-Error": "head_timeout" }, '{"retryable":true}');
  fetching(cutOff(), cutOff(), later(), sse());
  const { events, error } = await collected(openStream("/x", { reconnect: 1 }));

  assert.deepEqual([error.code, events.length, requests.length], ["head_timeout", 2, 3]);
});

test("what may not be tried again is not reconnected", async () => {
  fetching(sse('event: error\ndata: {"error":"x"}\n\n'), sse());
  const { error } = await collected(openStream("/x", { reconnect: 3 }));

  assert.deepEqual([error.code, requests.length], ["stream_error", 1]);
});
