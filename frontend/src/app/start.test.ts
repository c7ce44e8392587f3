import { describe, expect, it, vi } from "vitest";
import { takeStart } from "./start";

const take = (href: string) => {
  const replaceState = vi.fn();
  const start = takeStart({ href } as Location, { state: null, replaceState } as unknown as History);
  return { start, kept: replaceState.mock.calls[0]?.[2]?.toString() as string | undefined };
};

describe("the start address", () => {
  it("does not leave the sign-in code in the history", () => {
    const { start, kept } = take("http://localhost/?tour=1&q=code#code=abc-_1");
    expect(start).toEqual({ tour: true, code: "abc-_1" });
    expect(kept).toBe("http://localhost/?q=code");
  });

  it("is left alone when it carries neither", () => {
    expect(take("http://localhost/?q=1#main")).toEqual({ start: { tour: false, code: null }, kept: undefined });
  });
});
