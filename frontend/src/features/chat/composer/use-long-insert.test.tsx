import { fireEvent, render, screen } from "@testing-library/react";
import { useRef } from "react";
import { expect, test, vi } from "vitest";
import { useLongInsert } from "./use-long-insert";

function Field({ onFile }: { onFile: (file: { name: string; text: string }) => void }) {
  const area = useRef<HTMLTextAreaElement>(null);
  useLongInsert(area, onFile);
  return <textarea ref={area} />;
}

test("megabytes that are dropped on the question never reach the field, and none of them is lost", () => {
  const file = vi.fn();
  render(<Field onFile={file} />);
  const insert = (data: string) =>
    fireEvent(
      screen.getByRole("textbox"),
      new InputEvent("beforeinput", { inputType: "insertFromDrop", data, bubbles: true, cancelable: true }),
    );
  const long = "word ".repeat(400_000);
  expect(insert(long)).toBe(false);
  expect(file).toHaveBeenCalledWith({ name: "Pasted text", text: long });
  expect(insert("a few words")).toBe(true);
  expect(file).toHaveBeenCalledOnce();
});
