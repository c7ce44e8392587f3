// First load <= 200 kB gzip; each further chunk <= 80 kB, but the editor's and its languages' (loaded after the page stands).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const manifest = JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8"));
const FIRST_LOAD = 200_000;
const CHUNK = 80_000;
const EDITOR = /workbench\/(editor|code-editor|diff)|@codemirror|@lezer|codemirror/;

const gzip = (file) => gzipSync(readFileSync(join(dist, file))).length;
const first = new Set();
const collect = (key) => {
  const chunk = manifest[key];
  if (!chunk || first.has(chunk.file)) return;
  first.add(chunk.file);
  for (const css of chunk.css ?? []) first.add(css);
  for (const imported of chunk.imports ?? []) collect(imported);
};
collect("index.html");

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
for (const [key, chunk] of Object.entries(manifest)) {
  if (first.has(chunk.file) || !chunk.file.endsWith(".js") || EDITOR.test(key) || EDITOR.test(chunk.name ?? "")) continue;
  const size = gzip(chunk.file);
  if (size > 20_000) say(chunk.file, size, CHUNK);
}
process.exit(failed ? 1 : 0);
