import type { ApiClient } from "@/shared/api/client";
import type { Credentials } from "./validate";

const base = "/api/v1/marketplace/auth";

export interface SignedIn {
  token: string;
  user_id: string;
  /** Dollars; told at sign-up only. */
  balance?: number;
}

export const signIn = (api: ApiClient, { email, password }: Credentials) =>
  api.post<SignedIn>(`${base}/signin`, { email: email.trim(), password }, { auth: "none" });

export const signUp = (api: ApiClient, { email, password }: Credentials) =>
  api.post<SignedIn>(`${base}/signup`, { email: email.trim(), password }, { auth: "none" });

export const forgotPassword = (api: ApiClient, email: string) =>
  api.post<unknown>(`${base}/forgot`, { email: email.trim() }, { auth: "none" });

export const resetPassword = (
  api: ApiClient,
  token: string,
  { password, revokeKeys }: { password: string; revokeKeys: boolean },
) => api.post<unknown>(`${base}/reset`, { token, new_password: password, revoke_keys: revokeKeys }, { auth: "none" });

export const confirmAddress = (api: ApiClient, token: string) =>
  api.post<{ credit: number }>(`${base}/confirm`, { token }, { auth: "none" });
