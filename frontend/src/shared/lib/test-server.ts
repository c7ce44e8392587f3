import { afterEach, vi } from "vitest";

export interface Call {
  route: string;
  body: unknown;
  headers: Headers;
}

export type Routes = Record<string, (body: unknown, init: RequestInit) => Response | Promise<Response>>;

/** Answers `fetch` by `METHOD /path` (without the API's prefix and query); anything else is a 404. Returns the calls made. */
export function serve(routes: Routes): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal("fetch", async (input: string, init: RequestInit = {}) => {
    const path = new URL(input, "http://market.test").pathname.replace(/^\/api\/v1\/(marketplace|agents)/, "");
    const route = `${init.method ?? "GET"} ${path}`;
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    calls.push({ route, body, headers: new Headers(init.headers) });
    if (init.signal?.aborted) throw new DOMException("Stopped", "AbortError");
    const handler = routes[route];
    return handler ? handler(body, init) : refusal(404, { error: "Not found", code: "not_found" });
  });
  return calls;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

export const reply = (body: object) => Response.json({ success: true, ...body });

export const refusal = (status: number, body: object, headers: Record<string, string> = {}) =>
  Response.json({ success: false, ...body }, { status, headers });

/** An event stream that has ended. */
export function events(...list: ({ type: string } & Record<string, unknown>)[]): Response {
  const text = list
    .map((event, index) => `id: ${index + 1}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
  return new Response(text, { headers: { "Content-Type": "text/event-stream" } });
}
