import { Failure, type Fetch, failureOf } from "./api";

const base = "/api/v1/marketplace/auth/device";
const grant = "urn:ietf:params:oauth:grant-type:device_code";

export interface Codes {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  /** Seconds, both. */
  expires_in: number;
  interval: number;
}

export interface DeviceFlow {
  origin: string;
  client: string;
  scopes: readonly string[];
  fetch?: Fetch;
  /** Waits; rejects when the user has given up. */
  wait: (seconds: number) => Promise<void>;
}

/** RFC 8628: `show` gets the code that the user types in; what comes back is the key. Throws Failure. */
export async function signIn(flow: DeviceFlow, show: (codes: Codes) => void | Promise<void>): Promise<string> {
  const codes = await form<Codes>(flow, `${base}/code`, { client_id: flow.client, scope: flow.scopes.join(" ") });
  await show(codes);
  let interval = codes.interval;
  for (;;) {
    await flow.wait(interval);
    try {
      const fields = { grant_type: grant, device_code: codes.device_code, client_id: flow.client };
      return (await form<{ access_token: string }>(flow, `${base}/token`, fields)).access_token;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error.code === "slow_down") interval += 5;
      // A server that is being restarted does not end a sign-in.
      else if (error.code !== "authorization_pending" && error.status !== 0) throw error;
    }
  }
}

async function form<T>(flow: DeviceFlow, path: string, fields: Record<string, string>): Promise<T> {
  const send = flow.fetch ?? fetch;
  let response: Response;
  try {
    response = await send(`${flow.origin}${path}`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(fields).toString(),
    });
  } catch (error) {
    throw new Failure(`No answer from ${flow.origin}. Does the server run?`, 0, "offline", { cause: String(error) });
  }
  if (!response.ok) throw await failureOf(response);
  return (await response.json()) as T;
}

/** An address as people write it, as an origin: `localhost:8000/` is `http://localhost:8000`. Null: it is none. */
export function originOf(written: string): string | null {
  const text = written.trim();
  const local = /^(localhost|127\.|\[::1\]|10\.|192\.168\.)/.test(text);
  try {
    const url = new URL(/^https?:\/\//i.test(text) ? text : `${local ? "http" : "https"}://${text}`);
    if (!url.hostname || url.username || url.password) return null;
    return url.origin;
  } catch {
    return null;
  }
}

/** Whether a key would cross the network in the clear. */
export function isPlainText(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "http:" && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}
