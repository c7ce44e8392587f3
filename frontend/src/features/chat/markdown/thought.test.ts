import { expect, test } from "vitest";
import { splitThought } from "./thought";

test.each([
  ["<think>\nHm.\n</think>\n\nYes.", "Hm.", "Yes."],
  ["<think>Hm", "Hm", ""],
  ["<thinking>a</thinking>b", "a", "b"],
  ["The tag <think> is text here.", "", "The tag <think> is text here."],
])("%j", (text, thought, answer) => expect(splitThought(text)).toEqual({ thought, answer }));
