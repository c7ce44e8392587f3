/** The one way to a marketplace: the key, errors in the server's own words, streams. Knows nothing of an editor. */

export type Fetch = typeof fetch;

export interface ApiOptions {
  /** Without a trailing slash. */
  origin: string;
  key: () => Promise<string | undefined>;
  fetch?: Fetch;
}

/** What the server refused, in its words. `status` 0: it could not be reached. `retryAfter`: seconds. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly extra: Record<string, unknown> = {},
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

export interface Reply<T> {
  body: T;
  requestId: string | undefined;
}

export class Api {
  readonly origin: string;
  private readonly key: ApiOptions["key"];
  private readonly fetch: Fetch;

  constructor({ origin, key, fetch: given }: ApiOptions) {
    this.origin = origin;
    this.key = key;
    this.fetch = given ?? ((input, init) => fetch(input, init));
  }

  async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return (await this.send<T>("GET", path, undefined, signal)).body;
  }

  async post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return (await this.send<T>("POST", path, body, signal)).body;
  }

  async send<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Reply<T>> {
    const response = await this.request(method, path, body, signal);
    return { body: (await response.json()) as T, requestId: response.headers.get("x-generation-id") ?? undefined };
  }

  /** The JSON objects of a stream of server-sent events. Ending the loop early hangs up, and so stops the provider. */
  async stream(
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<{ requestId: string | undefined; events: AsyncIterable<unknown> }> {
    const response = await this.request("POST", path, body, signal);
    if (!response.body) throw new Failure("The server sent no stream.", 0, "offline");
    return {
      requestId: response.headers.get("x-generation-id") ?? undefined,
      events: jsonEvents(response.body, signal),
    };
  }

  /** A reply as it came, for whoever passes it on. Throws only where nothing came. */
  async raw(method: string, path: string, body: string | undefined, signal?: AbortSignal): Promise<Response> {
    const key = await this.key();
    const headers: Record<string, string> = { accept: "application/json" };
    if (key) headers.authorization = `Bearer ${key}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    try {
      return await this.fetch(`${this.origin}${path}`, { method, headers, body, signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Failure(`No answer from ${this.origin}. Does the server run?`, 0, "offline", { cause: String(error) });
    }
  }

  private async request(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    const response = await this.raw(method, path, body === undefined ? undefined : JSON.stringify(body), signal);
    if (!response.ok) throw await failureOf(response);
    return response;
  }
}

export async function failureOf(response: Response): Promise<Failure> {
  const wait = Number(response.headers.get("retry-after") ?? Number.NaN);
  const body: unknown = await response.json().catch(() => null);
  return readFailure(body, response.status, Number.isFinite(wait) ? wait : undefined);
}

/** Both shapes of a refusal: our envelope's, and the one of OpenAI's wire. */
export function readFailure(body: unknown, status: number, retryAfter?: number): Failure {
  const outer = record(body);
  const inner = record(outer.error);
  const words =
    text(inner.message) ?? text(outer.error_description) ?? text(outer.error) ?? `The server answered ${status}.`;
  const code = text(inner.code) ?? text(outer.code) ?? text(outer.error) ?? "server";
  const extra = { ...outer, ...record(inner.metadata) };
  const wait = retryAfter ?? (typeof outer.retry_after === "number" ? outer.retry_after : undefined);
  return new Failure(words, status, code, extra, wait);
}

export function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);

/** Server-sent events whose data is JSON; `[DONE]` ends them, comments and other data are passed over. */
export async function* jsonEvents(body: ReadableStream<Uint8Array>, signal?: AbortSignal): AsyncGenerator<unknown> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        if (signal?.aborted) throw error;
        throw new Failure("The connection to the marketplace broke off in the middle of the answer.", 0, "offline");
      });
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const lines = rest.split(/\r\n|\n|\r/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (!line.startsWith("data:")) continue;
        const data = line.slice(5).trim();
        if (data === "[DONE]") return;
        if (data.startsWith("{")) yield JSON.parse(data);
      }
    }
  } finally {
    if (signal?.aborted) await reader.cancel().catch(() => undefined);
    else void reader.cancel().catch(() => undefined);
  }
}
