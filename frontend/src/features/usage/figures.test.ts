import { describe, expect, it } from "vitest";
import { everyPeriod, granularityFor, measures, rankedOf, seriesOf, timeSentence, weekOf } from "./figures";

const rows = [
  { time: "2026-11-28", model: "a", spend: 1, requests: 2 },
  { time: "2026-11-30", model: "b", spend: 3, requests: 1 },
];

describe("figures over time", () => {
  it("have a place for every day, also where the clocks change and where nothing was used", () => {
    const days = everyPeriod("2026-10-23T22:00:00Z", "2026-10-27T11:00:00Z", "day", "Europe/Berlin");
    expect(days).toEqual(["2026-10-24", "2026-10-25", "2026-10-26", "2026-10-27"]);
  });

  it("tell the hour that comes twice apart, as the server does", () => {
    const hours = everyPeriod("2026-10-25T00:00:00Z", "2026-10-25T03:00:00Z", "hour", "Europe/Berlin");
    expect(hours).toEqual(["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"]);
    expect(everyPeriod("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "hour", "UTC")).toEqual([
      "2026-01-01T00:00:00+00:00",
    ]);
  });

  it("fold into Mondays and firsts of months", () => {
    expect(everyPeriod("2026-11-25T00:00:00Z", "2026-12-02T00:00:00Z", "week", "UTC")).toEqual(["2026-11-23", "2026-11-30"]);
    expect(everyPeriod("2026-11-25T00:00:00Z", "2026-12-02T00:00:00Z", "month", "UTC")).toEqual([
      "2026-11-01",
      "2026-12-01",
    ]);
  });

  it("lose nothing: the rest is one series where parts add up", () => {
    const many = Array.from({ length: 9 }, (_, n) => ({ time: "2026-11-28", model: `m${n}`, spend: n, requests: 1 }));
    const series = seriesOf(many, ["2026-11-28"], measures.spend, (row) => row.model ?? "");
    expect(series.map((one) => one.name)).toEqual(["m8", "m7", "m6", "m5", "m4", "4 others"]);
    expect(series.reduce((sum, one) => sum + (one.values[0] ?? 0), 0)).toBe(36);
  });

  it("show what was not measured as a gap, not as 0", () => {
    const timed = [{ time: "2026-11-30", latency: { p50: 900, p90: 1, p99: 1, mean: 1, samples: 1 } }];
    const [series] = seriesOf(timed, ["2026-11-29", "2026-11-30"], measures.latency, () => "all");
    expect(series?.values).toEqual([null, 900]);
  });

  it("are said in a sentence", () => {
    const periods = ["2026-11-28", "2026-11-29", "2026-11-30"];
    const series = seriesOf(rows, periods, measures.spend, (row) => row.model ?? "");
    expect(timeSentence(measures.spend, 4, series, periods)).toBe("$4.00, 75 % of it b; most on 30 Nov: $3.00.");
    expect(timeSentence(measures.spend, 0, [], periods)).toBe("Nothing was measured in this time.");
  });
});

it("ranks the largest first, whatever the measure", () => {
  expect(rankedOf(rows, measures.requests, (row) => row.model ?? "").map((item) => item.name)).toEqual(["a", "b"]);
  expect(rankedOf(rows, measures.spend, (row) => row.model ?? "").map((item) => item.name)).toEqual(["b", "a"]);
});

it("puts calls to their local weekday and hour", () => {
  const week = weekOf([{ time: "2026-11-30T09:00:00+01:00", requests: 3 }]); // a Monday
  expect(week[0]?.[9]).toBe(3);
  expect(week.flat().reduce((sum, value) => sum + value, 0)).toBe(3);
});

it("draws no more periods than a screen has room for", () => {
  expect([1, 7, 90, 365].map(granularityFor)).toEqual(["hour", "day", "day", "week"]);
});
