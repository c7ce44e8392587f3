// First load <= 200 kB gzip; each further chunk <= 80 kB, but the editor's and its languages' (loaded after the page stands).
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const manifest = JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8"));
const FIRST_LOAD = 200_000;
const CHUNK = 80_000;
const DIAGRAMS = 700_000;

const gzip = (file) => gzipSync(readFileSync(join(dist, file))).length;
const collect = (key, files) => {
  const chunk = manifest[key];
  if (!chunk || files.has(chunk.file)) return files;
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const imported of chunk.imports ?? []) collect(imported, files);
  return files;
};
const keys = Object.keys(manifest);
const startPage = keys.filter((key) => key.startsWith("src/routes/index.tsx"));
const first = new Set(["index.html", ...startPage].flatMap((key) => [...collect(key, new Set())]));
const editor = keys
  .filter((key) => /workbench\/code-editor|@codemirror\/lang/.test(key))
  .reduce((files, key) => collect(key, files), new Set());

let failed = false;
const say = (label, size, limit) => {
  const over = size > limit;
  failed ||= over;
  process.stdout.write(
    `${over ? "OVER " : "ok   "} ${(size / 1000).toFixed(1).padStart(7)} kB of ${limit / 1000}  ${label}\n`,
  );
};
say(
  "first load",
  [...first].reduce((sum, file) => sum + gzip(file), 0),
  FIRST_LOAD,
);
for (const chunk of Object.values(manifest)) {
  if (first.has(chunk.file) || !chunk.file.endsWith(".js") || editor.has(chunk.file)) continue;
  const size = gzip(chunk.file);
  if (size > 20_000) say(chunk.file, size, CHUNK);
}
// Fetched when an answer holds a diagram, by a frame of its own; its source stands there meanwhile.
const diagrams = readdirSync(join(dist, "assets")).filter((name) => /^(mermaid|diagram-frame)-\w+\.js$/.test(name));
if (diagrams.length !== 2) throw new Error("the frame for diagrams was not built");
say(
  "diagrams",
  diagrams.reduce((sum, name) => sum + gzip(`assets/${name}`), 0),
  DIAGRAMS,
);
process.exit(failed ? 1 : 0);
