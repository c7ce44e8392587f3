import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const server = process.env.MARKETPLACE_URL ?? "http://127.0.0.1:8000";

/** Names the start page's own chunk in the page, so that it comes beside the entry and not after it has run. */
function preloadStartPage(): Plugin {
  return {
    name: "preload-start-page",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle }) {
        const page = Object.values(bundle ?? {}).find(
          (chunk) => chunk.type === "chunk" && chunk.facadeModuleId?.includes("/src/routes/index.tsx"),
        );
        if (page?.type !== "chunk") return [];
        const missing = [page.fileName, ...page.imports].filter((file) => !html.includes(file));
        return missing.map((file) => ({
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `/${file}` },
          injectTo: "head" as const,
        }));
      },
    },
  };
}

export default defineConfig({
  base: "/",
  plugins: [
    tanstackRouter({ target: "react", autoCodeSplitting: true, quoteStyle: "double", semicolons: true }),
    react(),
    tailwindcss(),
    preloadStartPage(),
  ],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    sourcemap: false,
    // The strict content security policy forbids data: fonts and scripts, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    // Sizes are judged by scripts/size-gate.mjs; the largest chunk is the grammar of C++, fetched when an answer has some.
    chunkSizeWarningLimit: 900,
  },
  server: {
    host: "127.0.0.1",
    port: 5173,
    proxy: { "/api": server, "/v1": server },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/shared/lib/test-setup.ts"],
    restoreMocks: true,
  },
});
