import { describe, expect, it } from "vitest";
import { newMessage } from "./chat-message";
import { toMarkdown } from "./save";

describe("toMarkdown", () => {
  it("keeps who wrote each answer and what it cost", () => {
    const question = newMessage({ parentId: null, role: "user", content: "Why?" });
    const answer = newMessage({
      parentId: question.id,
      role: "assistant",
      content: "So.",
      model: "demo",
      provider: "local",
      cost: 0.01,
    });
    expect(toMarkdown([question, answer], "Talk")).toBe("# Talk\n\n## You\n\nWhy?\n\n## demo · local\n\nSo.\n\n*$0.01*\n");
  });
});
