// Asks for a newcomer's first cards while the page's code is still on its way: one round trip less on a slow line. The browser's
// host (src/hosts/browser.ts) takes the reply where the page asks for the very same.
(() => {
  try {
    if (location.pathname !== "/" || location.search || localStorage.getItem("token")) return;
    const path = "/api/v1/marketplace/models?limit=36&sort=ready";
    const reply = fetch(path, { headers: { Accept: "application/json" } });
    reply.catch(() => {});
    globalThis.early = { path, reply };
  } catch {
    // Without storage the page asks by itself.
  }
})();
