import type { ApiPath } from "@/shared/api/paths";
import type { Services } from "@/shared/api/services";

export interface Start {
  tour: boolean;
  /** The demo server's one-time sign-in code. */
  code: string | null;
}

/** Reads `?tour=1` and `#code=…` and takes both out of the address at once, so that neither is kept in the history. */
export function takeStart(location: Location, history: History): Start {
  const url = new URL(location.href);
  const start = {
    tour: url.searchParams.get("tour") === "1",
    code: new URLSearchParams(url.hash.slice(1)).get("code"),
  };
  if (start.tour || start.code) {
    url.searchParams.delete("tour");
    if (start.code) url.hash = "";
    history.replaceState(history.state, "", url);
  }
  return start;
}

/** Signs in with a one-time code; one that is used or too old leads to the sign-in dialog. */
export async function enterDemo({ api, session }: Services, code: string): Promise<void> {
  try {
    // Only a server that was started by `demo` has this path, so the API's document does not name it.
    const path = "/api/v1/demo/session" as ApiPath;
    session.signedIn((await api.post<{ token: string }>(path, { code }, { auth: "none" })).token);
  } catch {
    // Whatever was wrong with the code: the password still opens the door.
    if (!session.token) void session.require("asked", "signin");
  }
}
