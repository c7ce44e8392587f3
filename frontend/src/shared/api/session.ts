import type { HostStorage } from "@/hosts/host";

const TOKEN_KEY = "token";
const RETURNING_KEY = "marketplace.returning";

/** Why the sign-in dialog is asked for; `expired` keeps the page and its drafts underneath. */
export type SignInReason = "first-use" | "expired" | "asked";
export type AuthMode = "signin" | "signup" | "api-keys";

interface SignInPrompt {
  reason: SignInReason;
  mode: AuthMode;
}

export interface SessionState {
  token: string | null;
  /** Whose page this is: what is kept in the browser is kept by account. Empty while nobody is signed in. */
  account: string;
  /** True after the server refused the token, until the next sign-in. */
  expired: boolean;
  prompt: SignInPrompt | null;
  /** How often someone left since the page was loaded, here or in another tab: what was theirs must go from memory. */
  departures: number;
}

/**
 * The signed-in state. The token lies in `Host.storage` under the guide's name `token`.
 * `require()` opens the sign-in dialog and answers when the user signed in (true) or closed it (false);
 * all callers who ask at once share one dialog.
 */
export class Session {
  private state: SessionState;
  private readonly listeners = new Set<() => void>();
  /** Told of an account that is signed out here, before its page is anybody else's: what was kept for it goes. */
  readonly onSignOut = new Set<(account: string) => void>();
  private waiting: { promise: Promise<boolean>; resolve: (signedIn: boolean) => void } | null = null;

  constructor(private readonly storage: HostStorage) {
    const token = storage.getItem(TOKEN_KEY);
    this.state = { token, account: accountOf(token), expired: false, prompt: null, departures: 0 };
    storage.subscribe(TOKEN_KEY, () => this.onOtherTab());
  }

  getState = (): SessionState => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get token(): string | null {
    return this.state.token;
  }

  /** After sign-in or sign-up (AIAuthModal's `onSuccess`). */
  signedIn(token: string): void {
    this.storage.setItem(TOKEN_KEY, token);
    this.storage.setItem(RETURNING_KEY, "yes");
    // Another account than the one whose session had expired: to it, whoever was here has left.
    const other = this.state.expired && this.state.account !== accountOf(token);
    const departures = this.state.departures + (other ? 1 : 0);
    this.set({ token, account: accountOf(token), expired: false, prompt: null, departures });
    this.finish(true);
  }

  /** Forgets the token here; the caller has already told the server. */
  signedOut(): void {
    for (const act of this.onSignOut) act(this.state.account);
    this.storage.removeItem(TOKEN_KEY);
    const departures = this.state.departures + 1;
    this.set({ token: null, account: "", expired: false, prompt: null, departures });
    this.finish(false);
  }

  /** The server refused `token`. A newer token, got meanwhile, is kept. */
  refused(token: string): void {
    if (this.state.token !== token) return;
    this.storage.removeItem(TOKEN_KEY);
    this.set({ ...this.state, token: null, expired: true });
  }

  require(reason: SignInReason = this.state.expired ? "expired" : "first-use", asked?: AuthMode): Promise<boolean> {
    // Who was never signed in on this browser most likely has no account yet.
    const newcomer = reason !== "expired" && this.storage.getItem(RETURNING_KEY) === null;
    const mode = asked ?? (newcomer ? "signup" : "signin");
    if (this.waiting) return this.waiting.promise;
    let resolve: (signedIn: boolean) => void = () => {};
    const promise = new Promise<boolean>((done) => {
      resolve = done;
    });
    this.waiting = { promise, resolve };
    this.set({ ...this.state, prompt: { reason, mode } });
    return promise;
  }

  /** The user closed the dialog without signing in. */
  dismiss(): void {
    this.set({ ...this.state, prompt: null });
    this.finish(this.state.token !== null);
  }

  private onOtherTab(): void {
    const token = this.storage.getItem(TOKEN_KEY);
    if (token === this.state.token) return;
    const departures = this.state.departures + (this.state.token ? 1 : 0);
    const prompt = token ? null : this.state.prompt;
    this.set({ token, account: accountOf(token), expired: false, prompt, departures });
    if (token) this.finish(true);
  }

  private finish(signedIn: boolean): void {
    this.waiting?.resolve(signedIn);
    this.waiting = null;
  }

  private set(state: SessionState): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}

/** The user's id as the token tells it: to sort what this browser keeps, never to decide what somebody may do. */
function accountOf(token: string | null): string {
  if (!token) return "";
  try {
    const [, claims = ""] = token.split(".");
    const { user_id: id } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))) as { user_id?: unknown };
    if (typeof id === "string" && id) return id;
  } catch {
    // Not a token of ours: somebody, and nobody in particular.
  }
  return "unknown";
}
