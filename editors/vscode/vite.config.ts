import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The extension host's one file: CommonJS, as VS Code loads it, with nothing but `vscode` and Node left outside. */
export default defineConfig({
  build: {
    target: "node20",
    outDir: "dist",
    emptyOutDir: true,
    minify: true,
    lib: {
      entry: fileURLToPath(new URL("./src/extension.ts", import.meta.url)),
      formats: ["cjs"],
      fileName: () => "extension.cjs",
    },
    rolldownOptions: { external: ["vscode", /^node:/] },
  },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // The adapters import the editor's module, which is only there inside of an editor.
    alias: { vscode: fileURLToPath(new URL("./test/fake-vscode.ts", import.meta.url)) },
  },
});
