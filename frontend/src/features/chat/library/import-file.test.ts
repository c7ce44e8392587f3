import { expect, test } from "vitest";
import { partsOf } from "./import-file";

const chat = (characters: number) => ({ title: "t", messages: [{ role: "user", content: "x".repeat(characters) }] });

test("a long file goes in parts that a call takes, and nothing is lost", () => {
  const parts = partsOf(JSON.stringify([...Array(150).fill(chat(10)), chat(3_900_000), chat(500_000)]));
  expect(parts?.map((part) => part.length)).toEqual([100, 51, 1]);
});

test.each(["", "{", "[]", "7", "null", '{"a": 1}'])("%j is no export", (text) => expect(partsOf(text)).toBeNull());

test("an account's export from here is read by its conversations", () => {
  expect(partsOf(JSON.stringify({ success: true, conversations: [chat(1)] }))).toEqual([[chat(1)]]);
});
