// One-way imports: app and routes -> features -> hosts, shared; no feature imports another; files have at most 250 lines.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../src", import.meta.url));
const allowed = {
  app: ["app", "routes", "features", "hosts", "shared"],
  routes: ["app", "routes", "features", "hosts", "shared"],
  features: ["features", "hosts", "shared"],
  hosts: ["hosts", "shared"],
  shared: ["shared", "hosts"],
};
const LINES = 250;
const problems = [];

for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
  const path = relative(root, join(entry.parentPath, entry.name));
  if (!entry.isFile() || !/\.tsx?$/.test(path) || path.includes(".gen.")) continue;
  const text = readFileSync(join(root, path), "utf8");
  const lines = text.split("\n").length - 1;
  if (!path.includes(".test.") && lines > LINES) problems.push(`${path}: ${lines} lines (limit ${LINES})`);
  const [zone, feature] = path.split(sep);
  if (!(zone in allowed)) continue;
  for (const [, target] of text.matchAll(/from "@\/([^"]+)"|import\("@\/([^"]+)"\)/g)) {
    if (!target) continue;
    const [targetZone, targetFeature] = target.split("/");
    if (targetZone in allowed && !allowed[zone].includes(targetZone))
      problems.push(`${path}: ${zone} must not import @/${target}`);
    if (zone === "features" && targetZone === "features" && targetFeature !== feature)
      problems.push(`${path}: feature ${feature} must not import feature ${targetFeature}; compose them in a route`);
  }
  if (/from "\.\.\//.test(text)) problems.push(`${path}: use @/ instead of ../`);
}

if (problems.length > 0) {
  process.stderr.write(`${problems.join("\n")}\n`);
  process.exit(1);
}
