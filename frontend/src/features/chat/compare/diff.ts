export interface Piece {
  kind: "same" | "left" | "right";
  text: string;
}

/** Words beyond this are compared line by line: the table of the longest common part has a cell for each pair. */
const MOST_CELLS = 4_000_000;

/** What two texts have in common, word by word (long ones line by line), and what each has alone. */
export function diff(left: string, right: string): Piece[] {
  const words = [split(left, /(\s+)/), split(right, /(\s+)/)] as const;
  const [a, b] = words[0].length * words[1].length <= MOST_CELLS ? words : [split(left, /(\n)/), split(right, /(\n)/)];
  if (a.length * b.length > MOST_CELLS) {
    return [
      { kind: "left", text: left },
      { kind: "right", text: right },
    ];
  }
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] =
        a[i] === b[j]
          ? (longest[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(longest[(i + 1) * width + j] ?? 0, longest[i * width + j + 1] ?? 0);
    }
  }
  const pieces: Piece[] = [];
  const add = (kind: Piece["kind"], text: string) => {
    const last = pieces.at(-1);
    if (last?.kind === kind) last.text += text;
    else pieces.push({ kind, text });
  };
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      add("same", a[i] ?? "");
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && (longest[(i + 1) * width + j] ?? 0) >= (longest[i * width + j + 1] ?? 0))) {
      add("left", a[i] ?? "");
      i += 1;
    } else {
      add("right", b[j] ?? "");
      j += 1;
    }
  }
  return pieces;
}

const split = (text: string, at: RegExp): string[] => text.split(at).filter((part) => part !== "");
