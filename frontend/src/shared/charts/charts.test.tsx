import { fireEvent, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { Heat } from "./heat";
import { Ranked } from "./ranked";
import { moved, shownLabels, spoken, valueScale } from "./scales";
import { Spark } from "./spark";
import { TimeBars } from "./time-bars";
import { TimeLines } from "./time-lines";

const dollars = (value: number) => `$${value.toFixed(2)}`;
const labels = ["Mon", "Tue", "Wed"];
const series = [
  { name: "gpt", values: [1, 0, 2] },
  { name: "claude", values: [0.5, null, 4] },
];

describe("every chart", () => {
  const charts = {
    bars: <TimeBars title="T" sentence="In words." labels={labels} series={series} format={dollars} />,
    lines: <TimeLines title="T" sentence="In words." labels={labels} series={series} format={dollars} />,
    ranked: <Ranked title="T" sentence="In words." items={[{ name: "gpt", value: 3 }]} format={dollars} />,
    spark: <Spark title="T" sentence="In words." labels={labels} values={[1, 2, 3]} format={dollars} />,
    heat: <Heat title="T" sentence="In words." rows={["Mon"]} columns={["00", "01"]} values={[[1, 2]]} format={dollars} />,
  };
  it.each(Object.entries(charts))(
    "%s is a figure that says itself in words, as a table too, without style attributes",
    async (_, chart) => {
      const { container } = render(chart);
      expect(screen.getByRole("figure", { name: "T" })).toHaveAccessibleDescription("In words.");
      expect(container.querySelectorAll("svg [style], svg[style]")).toHaveLength(0);
      await userEvent.click(screen.getByRole("button", { name: "T as a table" }));
      expect(screen.getByRole("table")).toBeVisible();
      expect(screen.queryByRole("slider")).toBeNull();
    },
  );
});

it("reads out each place that arrow keys go to, and goes into it on Enter", () => {
  const onPick = vi.fn();
  render(<TimeBars title="Spend" sentence="" labels={labels} series={series} format={dollars} onPick={onPick} />);
  const cursor = screen.getByRole("slider", { name: "Spend: cursor" });
  fireEvent.keyDown(cursor, { key: "ArrowRight" });
  expect(cursor).toHaveAttribute("aria-valuetext", "Mon: $1.50; gpt $1.00, claude $0.50");
  fireEvent.keyDown(cursor, { key: "End" });
  expect(cursor).toHaveAttribute("aria-valuetext", "Wed: $6.00; gpt $2.00, claude $4.00");
  fireEvent.keyDown(cursor, { key: "Enter" });
  expect(onPick).toHaveBeenCalledWith(2);
});

it("shows the same numbers in the table as at the cursor, and a dash where nothing was measured", async () => {
  render(<TimeLines title="Times" sentence="" labels={labels} series={series} format={dollars} />);
  await userEvent.click(screen.getByRole("button", { name: "Times as a table" }));
  const cells = within(screen.getByRole("row", { name: /Tue/ })).getAllByRole("cell");
  expect(cells.map((cell) => cell.textContent)).toEqual(["$0.00", "–"]);
});

it("says that nothing was used instead of drawing an empty frame", () => {
  render(<TimeBars title="T" sentence="" labels={[]} series={[]} format={dollars} />);
  expect(screen.getByText("Nothing in this time.")).toBeVisible();
});

describe("scales", () => {
  it("begin at 0, and hold the largest value", () => {
    const scale = valueScale(87);
    expect(scale.domain()[0]).toBe(0);
    expect(scale.domain()[1]).toBeGreaterThanOrEqual(87);
    expect(valueScale(0).domain()).toEqual([0, 1]);
  });

  it("never put more labels under an axis than there is room for", () => {
    expect(shownLabels(365, 640, 64)).toHaveLength(10);
    expect(shownLabels(3, 640)).toEqual([0, 1, 2]);
    expect(shownLabels(5, 0)).toEqual([0]);
  });

  it("keep the cursor inside, in grids too", () => {
    expect(moved("ArrowLeft", 0, 3)).toBe(0);
    expect(moved("ArrowRight", 2, 3)).toBe(2);
    expect(moved("ArrowDown", 1, 48, 24)).toBe(25);
    expect(moved("a", 1, 3)).toBeNull();
  });

  it("speak of one series without its name", () => {
    expect(spoken("Mon", [{ name: "all", values: [2] }], 0, dollars, true)).toBe("Mon: $2.00");
    expect(spoken("Mon", [{ name: "all", values: [null] }], 0, dollars, true)).toBe("Mon: nothing measured");
  });
});
