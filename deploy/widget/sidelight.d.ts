/** What went wrong, in words that a user may see. Everything here throws this and nothing else. */
export class SidelightError extends Error {
  constructor(code: string, requestId?: string | null, told?: ErrorFields, status?: number);
  /**
   * The code of Sidelight (docs/outcomes.md); `http_<status>` for an answer that is the upstream's
   * own; or one of `aborted`, `timeout`, `offline`, `network_error`, `stream_error`.
   */
  code: string;
  /** The Reference ID, null where none is known. */
  requestId: string | null;
  /** Whether the user may try again. */
  retryable: boolean;
  /** Seconds to wait before that; null where nobody said. */
  retryAfter: number | null;
  /** The HTTP status; 0 where there was none, or where the answer had begun as a good one. */
  status: number;
}

/** The JSON of Sidelight's errors, as far as it is read. */
export interface ErrorFields {
  message?: string;
  retryable?: boolean;
  retry_after?: number | null;
}

/** One event of a stream; of NDJSON, one line. */
export interface StreamEvent {
  /** `message` where the event has no name. */
  event: string;
  data: string;
  /** The last ID that the stream named; empty where it named none. */
  id: string;
}

export interface FetchOptions extends RequestInit {
  /** Default: a new one. It stays the same over all retries. */
  requestId?: string;
  /** Further tries after a failure that is safe to repeat. Default: 1. */
  retries?: number;
}

export interface ReadOptions {
  /**
   * Seconds without a byte (a comment is one) after which the stream counts as stalled. Default: 60.
   * Keep it above the route's `timeouts.gap`, so that Sidelight is the first to say so.
   */
  stall?: number;
  /** Whether an event is the last one. With it, a stream that ends without that event is cut. */
  isEnd?: (event: StreamEvent) => boolean;
}

export interface StreamOptions extends FetchOptions, ReadOptions {
  /** Reconnects in a row without an event between them, of a GET only. Default: 0. */
  reconnect?: number;
}

export interface ErrorLabels {
  reference: string;
  copy: string;
  copied: string;
  selected: string;
  retry: string;
}

export interface ErrorUIOptions {
  /** Element to append the box to. */
  container?: Element;
  /** Whether the box gets the focus; it is announced to screen readers in any case. */
  focus?: boolean;
  /** Makes a button of it where the error may be tried again; the box is gone when it is called. */
  onRetry?: () => void;
  /** Words of the box in another language. */
  labels?: Partial<ErrorLabels>;
}

/** A random UUID, also on pages without TLS. */
export function generateRequestId(): string;

/** `fetch` with `X-Request-ID`. Answers of any status are returned. Throws SidelightError. */
export function fetchWithRequestId(url: string | URL, options?: FetchOptions): Promise<Response>;

/** The ID that the answer names, else the one its request was sent with; null where there is none. */
export function getRequestIdFromResponse(response: Response): string | null;

/**
 * The events of an answer of the type `text/event-stream` or `application/x-ndjson`.
 * Leaving the loop ends the request. Throws SidelightError, also for an error inside the stream.
 */
export function readStream(
  response: Response,
  options?: ReadOptions,
): AsyncGenerator<StreamEvent, void, undefined>;

/** `fetchWithRequestId` and `readStream` in one, with reconnects where they are asked for. */
export function openStream(
  url: string | URL,
  options?: StreamOptions,
): AsyncGenerator<StreamEvent, void, undefined>;

/** What an answer that is not `ok` says; its body is read. Never rejects. */
export function handleFetchError(response: Response): Promise<SidelightError>;

/** What a rejected `fetch` or a broken body means. A SidelightError stays as it is. */
export function handleNetworkError(
  error: unknown,
  requestId?: string | null,
  otherwise?: string,
): SidelightError;

/** A box with the message, the Reference ID, and buttons to copy it and to try again. */
export function createErrorUI(error: SidelightError, options?: ErrorUIOptions): HTMLElement;
