import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
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
        // A preloaded module's own imports are not fetched before it runs: without them the first cards wait for one more round trip.
        const wanted = new Set([page.fileName]);
        for (const file of wanted) {
          const chunk = bundle?.[file];
          if (chunk?.type === "chunk") for (const next of chunk.imports) wanted.add(next);
        }
        const missing = [...wanted].filter((file) => !html.includes(file));
        return missing.map((file) => ({
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `/${file}` },
          injectTo: "head" as const,
        }));
      },
    },
  };
}

/** The frame that draws diagrams (diagram/): a document of its own, without modules, since those need an origin. */
function diagramFrame(): Plugin {
  const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), "utf8");
  const mermaid = () => read("./node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js");
  const page = (scripts: Record<string, string>) =>
    read("./diagram/frame.html").replace(/MERMAID|FRAME/g, (name) => scripts[name] ?? "");
  return {
    name: "diagram-frame",
    generateBundle() {
      const emit = (name: string, source: string) => {
        const fileName = `assets/${name}-${createHash("sha256").update(source).digest("hex").slice(0, 8)}.js`;
        this.emitFile({ type: "asset", fileName, source });
        return `/${fileName}`;
      };
      const scripts = { MERMAID: emit("mermaid", mermaid()), FRAME: emit("diagram-frame", read("./diagram/frame.js")) };
      this.emitFile({ type: "asset", fileName: "diagram.html", source: page(scripts) });
    },
    configureServer({ middlewares }) {
      const files: Record<string, [string, () => string]> = {
        "/diagram.html": ["text/html", () => page({ MERMAID: "/diagram/mermaid.js", FRAME: "/diagram/frame.js" })],
        "/diagram/mermaid.js": ["text/javascript", mermaid],
        "/diagram/frame.js": ["text/javascript", () => read("./diagram/frame.js")],
      };
      middlewares.use((request, response, next) => {
        const file = files[request.url ?? ""];
        if (!file) return next();
        response.setHeader("Content-Type", file[0]);
        response.end(file[1]());
      });
    },
  };
}

const EVERY_PAGE =
  /node_modules\/(react|react-dom|scheduler|use-sync-external-store|@tanstack\/(?!react-virtual|virtual-core)[^/]+|clsx|tailwind-merge|class-variance-authority|zustand)\//;
const COMPRESSIBLE = /\.(js|css|html|svg|json|txt|woff)$/;
const WORTH_BYTES = 1024;
/** Above it brotli's last steps cost more time than they save: those files are grammars, fetched when an answer has such code. */
const LARGE_BYTES = 400_000;

/** Writes a .br and a .gz beside each text file, so that the server sends compressed files without compressing. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir = "" }) {
      for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
        const file = join(dir, name);
        if (!COMPRESSIBLE.test(name) || name.startsWith(".") || statSync(file).size < WORTH_BYTES) continue;
        const bytes = readFileSync(file);
        const quality = bytes.length > LARGE_BYTES ? 9 : 11;
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } }));
      }
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
    diagramFrame(),
    compressed(),
  ],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    sourcemap: false,
    // The strict content security policy forbids data: fonts and scripts, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    rolldownOptions: {
      output: {
        // What every page needs comes as one file: a request costs more than the bytes that one page of all can do without.
        codeSplitting: { groups: [{ name: "frame", test: EVERY_PAGE }] },
      },
    },
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
