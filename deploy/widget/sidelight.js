// Request IDs, streams over fetch, errors that a user may see. See README.md and sidelight.d.ts.
const AGAIN = "Please try again.";
const MESSAGES = {
	aborted: "The request was stopped.",
	timeout: "The service did not answer in time. " + AGAIN,
	offline: "You seem to be offline. Please check your connection.",
	network_error: "The service cannot be reached right now. " + AGAIN,
	stream_stalled: "The answer stopped arriving. What you see may be incomplete.",
	stream_truncated: "The answer was cut off. What you see is incomplete.",
	http_401: "Please sign in again.",
	http_403: "You are not allowed to do this.",
	http_429: "You are sending messages too quickly. Please wait a moment.",
};
const OTHER = "The service reported an error. Please try again later.";
const RETRYABLE = /^(timeout|offline|network|stream_(stalled|truncated)|http_(408|429|50[234]))/;
const UNSENT = /^(circuit_o|upstream_cool|overload|pool|drain|dns|connect)/; // never reached the upstream
const sent = new WeakMap(); // the ID of each response's request

export class SidelightError extends Error {
	constructor(code, requestId, told = {}, status = 0) {
		super(told.message ?? MESSAGES[code] ?? OTHER);
		this.code = code;
		this.requestId = /^[\w.-]{1,128}$/.test(requestId ?? "") ? requestId : null;
		this.retryable = told.retryable ?? RETRYABLE.test(code);
		this.retryAfter = told.retry_after ?? null;
		this.status = status;
	}
}

export function generateRequestId() {
	const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID needs TLS
	bytes[6] = (bytes[6] & 15) | 64;
	bytes[8] = (bytes[8] & 63) | 128;
	const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
	return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export const getRequestIdFromResponse = (response) =>
	response.headers.get("X-Request-ID") ?? sent.get(response) ?? null;

export async function fetchWithRequestId(url, options = {}) {
	const { requestId = generateRequestId(), retries = 1, ...init } = options;
	const { method = "GET", body, signal } = init;
	const headers = new Headers(init.headers);
	headers.set("X-Request-ID", requestId);
	for (let left = body instanceof ReadableStream ? 0 : retries; ; left--) {
		let wait;
		try {
			const response = await fetch(url, { ...init, headers });
			sent.set(response, requestId);
			wait = retryAfter(response);
			if (left < 1 || wait > 10 || !UNSENT.test(codeOf(response))) return response;
			response.body?.cancel();
		} catch (error) {
			const again = left > 0 && /^(GET|HEAD|OPTIONS|PUT|DELETE)$/i.test(method);
			if (!again || signal?.aborted) throw handleNetworkError(error, requestId);
		}
		await pause(wait ?? 1 + Math.random(), signal, requestId);
	}
}

export async function* openStream(url, options = {}) {
	const { requestId = generateRequestId(), reconnect = 0, ...init } = options;
	const headers = new Headers(init.headers);
	for (let failed = 0; ; failed++) {
		try {
			const response = await fetchWithRequestId(url, { ...init, headers, requestId });
			if (!response.ok) throw await handleFetchError(response);
			for await (const event of readStream(response, init)) {
				failed = 0;
				if (event.id) headers.set("Last-Event-ID", event.id);
				yield event;
			}
			return;
		} catch (error) {
			// Each reconnect is a new request, so only what asks for nothing new: GET, where it is wanted.
			const again = error.retryable && failed < reconnect && /^GET$/i.test(init.method ?? "GET");
			if (!again) throw error;
			await pause(error.retryAfter ?? 2 ** failed, init.signal, requestId);
		}
	}
}

export async function* readStream(response, { stall = 60, isEnd } = {}) {
	const id = getRequestIdFromResponse(response);
	const parse = parser(/ndjson/i.test(response.headers.get("Content-Type")));
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
	let timer;
	try {
		for (let ended; !ended; ) {
			const silence = new Promise((_, reject) => {
				timer = setTimeout(reject, stall * 1000, new SidelightError("stream_stalled", id));
			});
			const read = reader.read().catch((error) => {
				throw handleNetworkError(error, id, "stream_truncated");
			});
			const { value, done } = await Promise.race([read, silence]);
			clearTimeout(timer);
			for (const event of parse(value, done)) {
				const error = errorIn(event, id);
				if (error) throw error;
				yield event;
				if (isEnd?.(event)) return;
			}
			ended = done;
		}
		if (isEnd) throw new SidelightError("stream_truncated", id);
	} finally {
		clearTimeout(timer);
		reader.cancel().catch(() => {});
	}
}

export async function handleFetchError(response) {
	const code = codeOf(response);
	const own = code && (await response.json().catch(() => null));
	const told = own || { retry_after: retryAfter(response) };
	const id = told.request_id ?? getRequestIdFromResponse(response);
	return new SidelightError(code ?? `http_${response.status}`, id, told, response.status);
}

export function handleNetworkError(error, requestId, otherwise = "network_error") {
	if (error instanceof SidelightError) return error;
	const named = { AbortError: "aborted", TimeoutError: "timeout" }[error?.name];
	return new SidelightError(named ?? (globalThis.navigator?.onLine === false ? "offline" : otherwise), requestId);
}

export function createErrorUI(error, { container, focus, onRetry, labels } = {}) {
	const words = { reference: "Reference ID:", copy: "Copy ID", copied: "Copied", selected: "Selected", retry: "Try again", ...labels };
	const before = document.activeElement;
	const box = element("div", "", BOX);
	box.className = "sidelight-error";
	box.setAttribute("role", "alert");
	box.tabIndex = -1;
	box.append(element("div", error.message));
	if (error.requestId) {
		const id = element("code", error.requestId, "user-select:all");
		const copy = button(words.copy, async () => {
			try {
				await navigator.clipboard.writeText(id.textContent);
				copy.textContent = words.copied;
			} catch {
				getSelection().selectAllChildren(id);
				copy.textContent = words.selected;
			}
		});
		const row = element("div", words.reference + " ");
		row.append(id);
		box.append(row, copy);
	}
	if (onRetry && error.retryable) {
		const retry = () => {
			box.remove();
			before?.focus?.(); // else the keyboard's user begins anew at the top of the page
			onRetry();
		};
		box.append(button(words.retry, retry));
	}
	container?.append(box);
	if (focus) box.focus();
	return box;
}

const BOX = "border:1px solid;border-left:4px solid #d32f2f;border-radius:8px;padding:12px;margin:8px 0;background:Canvas;color:CanvasText;overflow-wrap:anywhere";

function element(tag, text, style = "") {
	const made = document.createElement(tag);
	made.textContent = text; // never HTML: words may come from anywhere
	made.style.cssText = style;
	return made;
}

function button(text, onClick) {
	const made = element("button", text, "font:inherit;min-height:36px;padding:4px 12px;margin:8px 8px 0 0;border:1px solid;border-radius:6px;background:ButtonFace;color:ButtonText;cursor:pointer");
	made.type = "button";
	made.addEventListener("click", onClick);
	return made;
}

function pause(seconds, signal, id) {
	return new Promise((resolve, reject) => {
		const stop = () => (clearTimeout(timer), reject(handleNetworkError(signal.reason, id)));
		const timer = setTimeout(() => (signal?.removeEventListener("abort", stop), resolve()), seconds * 1000);
		if (signal?.aborted) stop();
		else signal?.addEventListener("abort", stop, { once: true });
	});
}

const codeOf = (response) => response.headers.get("X-Sidelight-Error");

function retryAfter(response) {
	const text = response.headers.get("Retry-After");
	const seconds = /^\d+$/.test(text) ? +text : (Date.parse(text) - Date.now()) / 1000;
	return seconds >= 0 ? seconds : null;
}

// The fields of an in-band error, in any of its forms; what the upstream says of itself is not shown.
function errorIn({ event, data }, id) {
	if (event !== "error" && !data.includes('"error"')) return;
	let body;
	try {
		body = JSON.parse(data);
	} catch {}
	const said = body?.error?.code ? { ...body.error, error: body.error.code } : body;
	if (event !== "error" && !body?.error && body?.type !== "error") return;
	const own = typeof said?.error === "string" && said.request_id && (!id || said.request_id === id);
	return new SidelightError(own ? said.error : "stream_error", id ?? said?.request_id, own ? said : {});
}

// Feeds on text as it comes, gives the events that are whole (HTML standard, "server-sent events").
function parser(ndjson) {
	let rest = "", type = "", data = null, id = "", afterCR = false;
	const take = (line) => {
		if (ndjson) return line.trim() && { event: "message", data: line, id };
		if (line === "") {
			const event = data !== null && { event: type || "message", data, id };
			type = "";
			data = null;
			return event;
		}
		const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?/s.exec(line);
		if (field === "data") data = data === null ? value : data + "\n" + value;
		else if (field === "event") type = value;
		else if (field === "id" && !value.includes("\0")) id = value;
	};
	return (text = "", ended) => {
		const lines = (rest + (afterCR ? text.replace(/^\n/, "") : text)).split(/\r\n|\n|\r/);
		if (text) afterCR = text.endsWith("\r");
		rest = ended && ndjson ? "" : lines.pop();
		return lines.map(take).filter(Boolean);
	};
}
