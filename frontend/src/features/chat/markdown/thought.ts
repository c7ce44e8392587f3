const OPEN = /^\s*<think(?:ing)?>/;
const CLOSE = /<\/think(?:ing)?>/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;

/** Some models write their thinking into the answer, between `<think>` marks that begin a line; in code such a mark is text. */
export function splitThought(text: string): { thought: string; answer: string } {
  if (!text.includes("<think")) return { thought: "", answer: text };
  const answer: string[] = [];
  const thoughts: string[] = [];
  let thinking: string[] | null = null;
  let fence: string | null = null;
  for (let line of text.split("\n")) {
    if (!thinking && !fence && OPEN.test(line)) {
      thinking = [];
      line = line.replace(OPEN, "");
    }
    if (thinking) {
      const end = CLOSE.exec(line);
      thinking.push(end ? line.slice(0, end.index) : line);
      if (!end) continue;
      thoughts.push(thinking.join("\n").trim());
      thinking = null;
      line = line.slice(end.index + end[0].length);
      if (!line.trim()) continue;
    }
    const mark: string | undefined = FENCE.exec(line)?.[1];
    if (mark && !fence) fence = mark;
    else if (mark && fence && mark.startsWith(fence)) fence = null;
    answer.push(line);
  }
  if (thinking) thoughts.push(thinking.join("\n").trim());
  const rest = answer.join("\n");
  return { thought: thoughts.filter(Boolean).join("\n\n"), answer: thoughts.length ? rest.trimStart() : rest };
}
