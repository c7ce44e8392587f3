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
