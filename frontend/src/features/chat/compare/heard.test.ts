import { expect, test } from "vitest";
import { heard } from "./heard";

test("who can't see the columns hears which answers have ended, and how", () => {
  const side = (name: string, status: string) => ({ side: name, status }) as Parameters<typeof heard>[0][number];
  expect(heard([side("a", "ok"), side("b", "running"), side("c", "failed")])).toBe(
    "1 of 3 answers are being written. Complete: A. Not complete: C.",
  );
  expect(heard([side("a", "ok"), side("b", "ok")])).toBe("All answers have ended. Complete: A, B.");
});
