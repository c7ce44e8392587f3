// lighthouse-verdict.mjs desktop|mobile REPORT...: prints the medians and what cost points; fails below the promised scores.
import { readFileSync } from "node:fs";

const [form, ...paths] = process.argv.slice(2);
// On a phone the speed is measured, not promised: the preset makes a loaded machine four times slower still.
const least = { performance: form === "mobile" ? 0 : 0.95, accessibility: 1, "best-practices": 1 };
const metrics = {
  "first-contentful-paint": "first contentful paint, ms",
  "largest-contentful-paint": "largest contentful paint, ms",
  "total-blocking-time": "total blocking time, ms",
  "cumulative-layout-shift": "layout shift",
  "total-byte-weight": "bytes over the network",
};
const reports = paths.map((path) => JSON.parse(readFileSync(path, "utf8")));
const median = (values) => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];
let failed = false;

for (const [category, wanted] of Object.entries(least)) {
  const score = median(reports.map((report) => report.categories[category].score));
  failed ||= score < wanted;
  process.stdout.write(`${score < wanted ? "BELOW" : "ok   "} ${category}: ${score} (at least ${wanted})\n`);
}
for (const [id, words] of Object.entries(metrics)) {
  const value = median(reports.map((report) => report.audits[id].numericValue));
  process.stdout.write(`      ${words}: ${id.endsWith("shift") ? value.toFixed(3) : Math.round(value)}\n`);
}
const lost = new Set(
  reports.flatMap(({ categories, audits }) =>
    Object.values(categories).flatMap(({ auditRefs }) =>
      auditRefs
        .filter(({ id, weight }) => weight > 0 && audits[id].score !== null && audits[id].score < 0.9)
        .map(({ id }) => `${id}: ${audits[id].title} ${audits[id].displayValue ?? ""}`),
    ),
  ),
);
for (const words of lost) process.stdout.write(`      lost points: ${words}\n`);
process.exit(failed ? 1 : 0);
