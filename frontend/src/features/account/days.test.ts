import { describe, expect, it } from "vitest";
import { everyDay } from "./days";

describe("everyDay", () => {
  it("leaves no gap where nothing was used, also over a month's end", () => {
    const rows = [{ day: "2026-03-01", requests: 2, tokens: 9, cost: 0.5 }];
    expect(everyDay(rows, 3, new Date("2026-03-01T23:59:00Z"))).toEqual([
      { day: "2026-02-27", cost: 0, requests: 0 },
      { day: "2026-02-28", cost: 0, requests: 0 },
      { day: "2026-03-01", cost: 0.5, requests: 2 },
    ]);
  });
});
