/** The stable `code` values the UI acts upon; the server may send others, which are shown in their own words. */
export type ErrorCode =
  | "authentication"
  | "payment_required"
  | "permission_denied"
  | "not_found"
  | "conflict"
  | "rate_limit_exceeded"
  | "provider_unavailable"
  | "temporarily_unavailable"
  | "invalid_request"
  | "unpriced_model"
  | "offline"
  | "server"
  | (string & {});

/** Every failed call: the server's envelope, or `offline` when no answer came at all. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;
  /** 0 when no answer came. */
  readonly status: number;
  readonly requestId: string | undefined;
  /** Seconds. */
  readonly retryAfter: number | undefined;
  /** Every further field of the envelope, for example `required` and `available` of a 402. */
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(
    message: string,
    fields: { code: ErrorCode; status: number; requestId?: string; retryAfter?: number; extra?: Record<string, unknown> },
  ) {
    super(message);
    this.code = fields.code;
    this.status = fields.status;
    this.requestId = fields.requestId;
    this.retryAfter = fields.retryAfter;
    this.extra = fields.extra ?? {};
  }
}

export function isApiError(error: unknown): error is ApiError {
  return error instanceof ApiError;
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

const wordsByStatus: Record<number, [ErrorCode, string]> = {
  400: ["invalid_request", "The server did not understand this request."],
  401: ["authentication", "Please sign in."],
  402: ["payment_required", "The balance does not cover this."],
  403: ["permission_denied", "This account may not do that."],
  404: ["not_found", "Not found."],
  409: ["conflict", "The same request is still running."],
  413: ["payload_too_large", "That is too large."],
  429: ["rate_limit_exceeded", "Too many requests just now."],
  502: ["provider_unavailable", "The provider is not answering."],
  503: ["temporarily_unavailable", "The server is busy or restarting."],
  504: ["provider_unavailable", "The provider took too long."],
};

/** Seconds, from `Retry-After` as a number or a date. */
export function retryAfterSeconds(header: string | null, nowMs: number): number | undefined {
  if (!header) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - nowMs) / 1000));
}

/** Reads `{success: false, error, code, request_id, ...}`, and also survives a proxy's HTML page. */
export function errorFromBody(status: number, body: unknown, retryAfter?: number): ApiError {
  const [fallbackCode, fallbackWords] = wordsByStatus[status] ?? ["server", "The server failed."];
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return new ApiError(fallbackWords, { code: fallbackCode, status, retryAfter });
  }
  const { success: _success, error, code, request_id: requestId, ...extra } = body as Record<string, unknown>;
  return new ApiError(typeof error === "string" && error ? error : fallbackWords, {
    code: typeof code === "string" && code ? code : fallbackCode,
    status,
    requestId: typeof requestId === "string" ? requestId : undefined,
    retryAfter: retryAfter ?? (typeof extra.retry_after === "number" ? extra.retry_after : undefined),
    extra,
  });
}
