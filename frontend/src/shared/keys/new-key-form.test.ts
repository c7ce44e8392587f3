import { describe, expect, it } from "vitest";
import { newKeyOf } from "./new-key-form";

function form(fields: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}

describe("newKeyOf", () => {
  it("sends the cap as it was written, to the last digit", () => {
    expect(newKeyOf(form({ name: " Zed ", cap: "0.10", period: "day", ends: "30" }))).toEqual({
      name: "Zed",
      cap: { amount: "0.10", period: "day" },
      expires_in_days: 30,
    });
  });

  it("takes a decimal comma", () => {
    expect(newKeyOf(form({ cap: "2,50", period: "month" }))).toMatchObject({ cap: { amount: "2.50" } });
  });

  it("makes no cap and no end out of empty fields", () => {
    expect(newKeyOf(form({ name: "", cap: "", ends: "" }))).toEqual({ name: "My key" });
  });

  it.each(["five", "-1", "1e3", "1.2345678901", "$5"])("does not guess what a cap of %j means", (cap) => {
    expect(newKeyOf(form({ cap }))).toHaveProperty("problem");
  });
});
