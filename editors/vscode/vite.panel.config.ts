import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const frontend = fileURLToPath(new URL("../../frontend", import.meta.url));

/** The marketplace of the web UI as the side bar's page: the panel's own chunks, without editor, chat, tour and languages. */
export default defineConfig({
  root: frontend,
  base: "./",
  publicDir: false,
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": `${frontend}/src` } },
  build: {
    target: "es2022",
    outDir: fileURLToPath(new URL("./dist/panel", import.meta.url)),
    emptyOutDir: true,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: false,
    rolldownOptions: {
      input: `${frontend}/src/app/webview.tsx`,
      output: { entryFileNames: "panel.js", chunkFileNames: "[name]-[hash].js", assetFileNames: "panel[extname]" },
    },
  },
});
