/** Some models write their thinking into the answer, between `<think>` marks, before they begin. */
export function splitThought(text: string): { thought: string; answer: string } {
  const begun = /^\s*<think(?:ing)?>\n?/.exec(text);
  if (!begun) return { thought: "", answer: text };
  const rest = text.slice(begun[0].length);
  const end = /\n?<\/think(?:ing)?>\s*/.exec(rest);
  return end
    ? { thought: rest.slice(0, end.index), answer: rest.slice(end.index + end[0].length) }
    : { thought: rest, answer: "" };
}
