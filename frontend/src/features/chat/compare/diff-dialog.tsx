import { useState } from "react";
import { Dialog, DialogBody } from "@/shared/ui/dialog";
import { NativeSelect } from "@/shared/ui/input";
import type { ComparedAnswer, Side } from "./compare-api";
import { diff } from "./diff";

interface DiffDialogProps {
  answers: readonly ComparedAnswer[];
  name: (answer: ComparedAnswer) => string;
  onClose: () => void;
}

/** Two answers in one text: what only the first has is struck out, what only the second has is underlined. */
export function DiffDialog({ answers, name, onClose }: DiffDialogProps) {
  const [sides, setSides] = useState<[Side, Side]>([answers[0]?.side ?? "a", answers[1]?.side ?? "b"]);
  const text = (side: Side) => answers.find((answer) => answer.side === side)?.content ?? "";
  const choose = (place: 0 | 1, label: string) => (
    <NativeSelect
      aria-label={label}
      value={sides[place]}
      onChange={(event) => {
        const next: [Side, Side] = [...sides];
        next[place] = event.target.value as Side;
        setSides(next);
      }}
    >
      {answers.map((answer) => (
        <option key={answer.side} value={answer.side}>
          {name(answer)}
        </option>
      ))}
    </NativeSelect>
  );
  return (
    <Dialog open onOpenChange={onClose} title="What differs" variant="drawer">
      <DialogBody>
        <div className="mb-3 flex flex-wrap items-center gap-2 text-sm">
          <span>Struck out: only</span>
          {choose(0, "First answer")}
          <span>· underlined: only</span>
          {choose(1, "Second answer")}
        </div>
        <p className="text-sm break-words whitespace-pre-wrap">
          {diff(text(sides[0]), text(sides[1])).map((piece, index) => {
            const key = `${index}-${piece.kind}`;
            if (piece.kind === "left")
              return (
                <del key={key} className="text-danger">
                  {piece.text}
                </del>
              );
            if (piece.kind === "right")
              return (
                <ins key={key} className="text-success">
                  {piece.text}
                </ins>
              );
            return <span key={key}>{piece.text}</span>;
          })}
        </p>
      </DialogBody>
    </Dialog>
  );
}
