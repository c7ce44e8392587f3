import type { HostStorage } from "@/hosts/host";

const TOKEN_KEY = "token";

/** Why the sign-in dialog is asked for; `expired` keeps the page and its drafts underneath. */
export type SignInReason = "first-use" | "expired" | "asked";
export type AuthMode = "signin" | "signup" | "api-keys";

interface SignInPrompt {
  reason: SignInReason;
  mode: AuthMode;
}

export interface SessionState {
  token: string | null;
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
  private waiting: { promise: Promise<boolean>; resolve: (signedIn: boolean) => void } | null = null;

  constructor(private readonly storage: HostStorage) {
    this.state = { token: storage.getItem(TOKEN_KEY), expired: false, prompt: null, departures: 0 };
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
    this.set({ ...this.state, token, expired: false, prompt: null });
    this.finish(true);
  }

  /** Forgets the token here; the caller has already told the server. */
  signedOut(): void {
    this.storage.removeItem(TOKEN_KEY);
    this.set({ ...this.state, token: null, expired: false, prompt: null, departures: this.state.departures + 1 });
    this.finish(false);
  }

  /** The server refused `token`. A newer token, got meanwhile, is kept. */
  refused(token: string): void {
    if (this.state.token !== token) return;
    this.storage.removeItem(TOKEN_KEY);
    this.set({ ...this.state, token: null, expired: true });
  }

  require(reason: SignInReason = this.state.expired ? "expired" : "first-use", mode: AuthMode = "signin"): Promise<boolean> {
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
    this.set({ token, expired: false, prompt: token ? null : this.state.prompt, departures });
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
