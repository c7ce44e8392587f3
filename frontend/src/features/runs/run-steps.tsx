import { money } from "@/shared/lib/format";
import { Badge } from "@/shared/ui/badge";
import type { RunStep } from "./runs-api";
import { kindInWords, stepInWords } from "./words";

const tones: Partial<Record<RunStep["state"], "success" | "danger" | "warning">> = {
  done: "success",
  failed: "danger",
  denied: "warning",
  unknown: "warning",
};

/** Every step as it happened, with what it cost. */
export function RunSteps({ steps }: { steps: readonly RunStep[] }) {
  return (
    <ol aria-label="Steps" className="flex flex-col gap-2">
      {steps.map((step) => (
        <li key={step.step} className="rounded-md border border-line p-3">
          <div className="flex flex-wrap items-baseline gap-2">
            <span className="text-muted">{kindInWords(step)}</span>
            <span className="font-medium break-all">{step.name}</span>
            <Badge tone={tones[step.state]}>{stepInWords(step)}</Badge>
            {step.cost > 0 && <span className="ml-auto tabular-nums">{money(step.cost)}</span>}
          </div>
          <StepText label={step.kind === "input" ? "What you said" : "Arguments"} text={step.arguments} />
          <StepText label="Result" text={step.result} />
        </li>
      ))}
    </ol>
  );
}

function StepText({ label, text }: { label: string; text: string | null }) {
  if (!text) return null;
  return (
    <details className="mt-1">
      <summary className="text-sm text-muted">{label}</summary>
      <pre className="mt-1 rounded bg-input p-2 text-xs whitespace-pre-wrap break-words">{text}</pre>
    </details>
  );
}
