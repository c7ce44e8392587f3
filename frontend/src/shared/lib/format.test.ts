import { describe, expect, test } from "vitest";
import { day, funds, money, perMillion, tokens } from "./format";

describe("money", () => {
  test("a small cost is never shown as nothing", () => {
    expect(money(0.000004)).toBe("$0.000004");
    expect(money(0.0000000001)).toBe("<$0.000001");
    expect(money("0.0123")).toBe("$0.012");
    expect(money(0)).toBe("$0.00");
  });

  test("unknown is a dash and not zero", () => {
    expect(money(null)).toBe("–");
    expect(money("much")).toBe("–");
    expect(perMillion(undefined)).toBe("–");
    expect(perMillion("0")).toBe("free");
  });
});

test("a balance is never shown as more than there is, and a whole one as what it is", () => {
  expect([4.9978, 5, 4.35, 0.1, 1.005, 0.0123, 0].map(funds)).toEqual([
    "$4.99",
    "$5.00",
    "$4.35",
    "$0.10",
    "$1.00",
    "$0.012",
    "$0.00",
  ]);
  expect(funds(undefined)).toBe("–");
});

test("token counts read as their makers write them", () => {
  expect([4096, 128_000, 131_072, 1_048_576, 1_050_000, 999].map(tokens)).toEqual([
    "4K",
    "128K",
    "128K",
    "1M",
    "1.1M",
    "999",
  ]);
});

test("a month stays a month", () => {
  expect(day("2026-11")).toBe("Nov 2026");
  expect(day("2026-11-22")).toBe("22 Nov 2026");
});
