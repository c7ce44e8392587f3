import { describe, expect, it } from "vitest";
import { filtersFromSearch, hrefWith, searchFromFilters, withoutValue, withValue } from "./filters";

describe("filters in the address", () => {
  it("come back as they were written", () => {
    const filters = withValue(withValue(filtersFromSearch({ days: 7 }), "model", "gpt-5"), "model", "a,b&c=d");
    expect(filtersFromSearch({ ...searchFromFilters(filters) })).toEqual(filters);
    const query = new URL(hrefWith("/usage", filters), "http://x").searchParams;
    expect(JSON.parse(query.get("model") ?? "")).toEqual(["gpt-5", "a,b&c=d"]);
  });

  it("say nothing where nothing was chosen", () => {
    expect(searchFromFilters(filtersFromSearch({}))).toEqual({});
    expect(hrefWith("/usage", filtersFromSearch({}))).toBe("/usage");
  });

  it.each([{ days: "x" }, { days: -1 }, { days: 1e9 }, { days: 1.5 }, { model: "", key: [] }])(
    "are the usual ones where somebody wrote nonsense: %j",
    (search) => expect(filtersFromSearch(search)).toEqual({ days: 30, values: {} }),
  );

  it("are taken away one by one, and never doubled", () => {
    const twice = withValue(withValue(filtersFromSearch({ key: "k" }), "key", "k"), "key", "l");
    expect(twice.values).toEqual({ key: ["k", "l"] });
    expect(withoutValue(withoutValue(twice, "key", "k"), "key", "l").values).toEqual({});
  });
});
