import { expect, test } from "vitest";
import { splitThought } from "./thought";

test.each([
  ["<think>\nHm.\n</think>\n\nYes.", "Hm.", "Yes."],
  ["<think>Hm", "Hm", ""],
  ["<thinking>a</thinking>b", "a", "b"],
  ["Yes.\n\n<think>Hm.</think>\n\nNo.", "Hm.", "Yes.\n\n\nNo."],
  ["```\n<think>\n```", "", "```\n<think>\n```"],
  ["The tag <think> is text here.", "", "The tag <think> is text here."],
])("%j", (text, thought, answer) => expect(splitThought(text)).toEqual({ thought, answer }));
