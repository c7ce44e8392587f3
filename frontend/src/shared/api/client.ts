import type { Host } from "@/hosts/host";
import { ApiError, errorFromBody, retryAfterSeconds } from "@/shared/api/errors";
import type { ApiPath } from "@/shared/api/paths";
import type { Session } from "@/shared/api/session";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type QueryValue = string | number | boolean | readonly string[] | null | undefined;

export interface RequestOptions {
  query?: Record<string, QueryValue>;
  /** Sent as JSON; a file as it is. */
  body?: unknown;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /**
   * `required`: signed out or expired opens the sign-in dialog, and the call goes on (once) after it: for what the user did.
   * `background`: a 401 is thrown quietly: for what the page does by itself.
   * `none`: sends no token. Default: `required` for a change, `background` for a GET.
   */
  auth?: "required" | "background" | "none";
}

/** The one way to the server: token, errors and sign-in in one place. Replies are the guide's envelopes. */
export class ApiClient {
  constructor(
    private readonly host: Host,
    private readonly session: Session,
  ) {}

  get<T>(path: ApiPath, options?: RequestOptions): Promise<T> {
    return this.json<T>("GET", path, options);
  }

  post<T>(path: ApiPath, body?: unknown, options?: RequestOptions): Promise<T> {
    return this.json<T>("POST", path, { ...options, body });
  }

  put<T>(path: ApiPath, body?: unknown, options?: RequestOptions): Promise<T> {
    return this.json<T>("PUT", path, { ...options, body });
  }

  patch<T>(path: ApiPath, body?: unknown, options?: RequestOptions): Promise<T> {
    return this.json<T>("PATCH", path, { ...options, body });
  }

  delete<T>(path: ApiPath, body?: unknown, options?: RequestOptions): Promise<T> {
    return this.json<T>("DELETE", path, { ...options, body });
  }

  /** A successful reply with its body unread: for event streams and downloads. */
  async raw(method: Method, path: ApiPath, options: RequestOptions = {}): Promise<Response> {
    const auth = options.auth ?? (method === "GET" ? "background" : "required");
    if (auth === "required" && !this.session.token && !(await this.session.require())) throw signInDeclined();
    const token = auth === "none" ? null : this.session.token;
    let response = await this.send(method, path, options, token);
    if (response.status === 401 && token && !(await deniesPassword(response))) {
      this.session.refused(token);
      if (auth === "required") {
        if (!(await this.session.require("expired"))) throw signInDeclined();
        response = await this.send(method, path, options, this.session.token);
      }
    }
    if (!response.ok) throw await errorFromResponse(response);
    return response;
  }

  private async json<T>(method: Method, path: ApiPath, options?: RequestOptions): Promise<T> {
    const response = await this.raw(method, path, options);
    const body = await readJson(response);
    if (isRefusal(body)) throw errorFromBody(response.status, body);
    return body as T;
  }

  private async send(method: Method, path: ApiPath, options: RequestOptions, token: string | null): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
    const file = options.body instanceof Blob ? options.body : null;
    if (options.body !== undefined) headers["Content-Type"] = file ? "application/octet-stream" : "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    try {
      return await (this.host.fetch ?? fetch)(`${this.host.apiBase}${path}${queryString(options.query)}`, {
        method,
        headers,
        body: file ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
        signal: options.signal,
      });
    } catch (error) {
      if (options.signal?.aborted) throw new DOMException("Stopped", "AbortError");
      throw new ApiError("No connection to the server.", { code: "offline", status: 0, extra: { cause: String(error) } });
    }
  }
}

function queryString(query: Record<string, QueryValue> | undefined): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (Array.isArray(value)) for (const one of value) parameters.append(name, one);
    else if (value !== undefined && value !== null && value !== "") parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

async function errorFromResponse(response: Response): Promise<ApiError> {
  const retryAfter = retryAfterSeconds(response.headers.get("Retry-After"), Date.now());
  return errorFromBody(response.status, await readJson(response), retryAfter);
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!text) return {};
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: a proxy's page in front of the server. The status alone then names the error.
    return response.ok ? { success: false, error: "The server sent something that is not JSON.", code: "server" } : null;
  }
}

/** A wrong password in the body is a 401 too, but says nothing against the session. */
async function deniesPassword(response: Response): Promise<boolean> {
  const body = await readJson(response.clone());
  return isRefusal(body) && (body as { code?: unknown }).code === "invalid_credentials";
}

function isRefusal(body: unknown): boolean {
  return typeof body === "object" && body !== null && (body as { success?: unknown }).success === false;
}

function signInDeclined(): ApiError {
  return new ApiError("Please sign in.", { code: "authentication", status: 401 });
}
