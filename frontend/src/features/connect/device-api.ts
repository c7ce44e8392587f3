import type { ApiClient } from "@/shared/api/client";
import type { NewKey } from "@/shared/keys/keys-api";

const base = "/api/v1/marketplace/auth/device";

/** Who waits behind a code. `client` is what the program calls itself: nobody has checked it. */
export interface DeviceAsked {
  client: string;
  scopes: string[];
  asked_at: string;
  expires_at: string;
  same_network: boolean;
}

export const lookAtCode = (api: ApiClient, code: string) => api.post<DeviceAsked>(`${base}/look`, { user_code: code });

export const approveCode = (api: ApiClient, code: string, key: NewKey & { scopes: string[] }) =>
  api.post(`${base}/approve`, { user_code: code, ...key });

export const denyCode = (api: ApiClient, code: string) => api.post(`${base}/deny`, { user_code: code });
