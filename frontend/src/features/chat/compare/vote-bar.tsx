import { useState } from "react";
import { Button } from "@/shared/ui/button";
import { Textarea } from "@/shared/ui/input";
import { letter } from "./column";
import { type Choice, type Comparison, criteria } from "./compare-api";

interface VoteBarProps {
  comparison: Comparison;
  busy: boolean;
  problem: string | null;
  onVote: (vote: { vote: Choice; criteria: string[]; reason: string }) => void;
  onReveal: () => void;
}

/** The one vote on a blind comparison; it tells whose answer is whose. */
export function VoteBar({ comparison, busy, problem, onVote, onReveal }: VoteBarProps) {
  const [because, setBecause] = useState<string[]>([]);
  const [reason, setReason] = useState("");
  const running = comparison.answers.some(({ status }) => status === "running");
  const whole = comparison.answers.filter(({ status, content }) => status === "ok" && content.trim() !== "");
  const waits = running
    ? "You can vote when every answer has ended."
    : whole.length < 2
      ? "There are no two whole answers."
      : null;
  const vote = (choice: Choice) => onVote({ vote: choice, criteria: because, reason });
  const button = (choice: Choice, label: string) => (
    <Button key={choice} disabled={waits !== null} busy={busy} onClick={() => vote(choice)}>
      {label}
    </Button>
  );
  return (
    <section aria-label="Your vote" className="flex flex-col gap-2 border-t border-line bg-surface px-3 py-2">
      <div className="flex flex-wrap items-center gap-2">
        {whole.map(({ side }) => button(side, `${letter(side)} is better`))}
        {button("tie", "Tie")}
        {button("both_bad", whole.length > 2 ? "All bad" : "Both bad")}
        <Button variant="link" size="sm" className="ml-auto" busy={busy} onClick={onReveal}>
          Show names without a vote
        </Button>
      </div>
      <details>
        <summary className="text-xs text-muted">Why? (optional)</summary>
        <div className="mt-2 flex flex-wrap gap-3">
          {criteria.map((name) => (
            <label key={name} className="flex items-center gap-1.5 text-sm pointer-coarse:min-h-11">
              <input
                type="checkbox"
                checked={because.includes(name)}
                onChange={({ target }) =>
                  setBecause(target.checked ? [...because, name] : because.filter((each) => each !== name))
                }
              />
              {name === "instructions" ? "followed instructions" : name}
            </label>
          ))}
        </div>
        <Textarea
          aria-label="In your words"
          placeholder="In your words; only you can read it"
          maxLength={2000}
          value={reason}
          className="mt-2"
          onChange={({ target }) => setReason(target.value)}
        />
      </details>
      <p role={problem ? "alert" : "status"} className={problem ? "text-xs text-danger" : "min-h-4 text-xs text-muted"}>
        {problem ??
          waits ??
          "One vote, and then you see whose answer is whose. With paid money behind it, it counts in the leaderboard."}
      </p>
    </section>
  );
}
