import type { Draft, Spec } from "./agents-api";

/** The builder's fields, all as text. */
export interface Form {
  slug: string;
  name: string;
  summary: string;
  description: string;
  model: string;
  instructions: string;
  category: string;
  licence: string;
  tools: string;
  hosts: string;
  starters: string;
  feeRun: string;
  feeStep: string;
  share: string;
  maxFee: string;
  cap: string;
  steps: string;
}

export const emptyForm: Form = {
  slug: "",
  name: "",
  summary: "",
  description: "",
  model: "auto",
  instructions: "",
  category: "other",
  licence: "proprietary",
  tools: "",
  hosts: "",
  starters: "",
  feeRun: "0",
  feeStep: "0",
  share: "0",
  maxFee: "0",
  cap: "0.5",
  steps: "10",
};

export const formOf = (slug: string, spec: Spec): Form => ({
  slug,
  name: spec.name,
  summary: spec.summary,
  description: spec.description,
  model: spec.model,
  instructions: spec.instructions ?? "",
  category: spec.category,
  licence: spec.licence,
  tools: spec.tools
    .filter(({ server }) => server === "builtin")
    .map(({ tool }) => tool)
    .join("\n"),
  hosts: spec.hosts.join("\n"),
  starters: spec.starters.join("\n"),
  feeRun: String(spec.price.fee_run),
  feeStep: String(spec.price.fee_step),
  share: String(spec.price.model_cost_bp / 100),
  maxFee: String(spec.price.max_fee),
  cap: String(spec.limits.cap_default),
  steps: String(spec.limits.steps),
});

const lines = (text: string) =>
  text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter(Boolean);

/** What the server takes; what the builder has no field for stays as it was. */
export function draftOf(form: Form, before?: Spec): Draft {
  const cap = form.cap || "0.5";
  const known = new Map(before?.tools.filter(({ server }) => server === "builtin").map((tool) => [tool.tool, tool]));
  const fresh = (tool: string) => ({
    server: "builtin",
    tool,
    policy: "allow",
    pin: "",
    credential: "none",
    idempotent: true,
    timeout_s: 30,
  });
  return {
    name: form.name.trim(),
    summary: form.summary,
    description: form.description,
    model: form.model.trim() || "auto",
    instructions: form.instructions,
    category: form.category,
    licence: form.licence,
    parameters: before?.parameters ?? {},
    tools: [
      ...(before?.tools.filter(({ server }) => server !== "builtin") ?? []),
      ...lines(form.tools).map((tool) => known.get(tool) ?? fresh(tool)),
    ],
    subagents: before?.subagents ?? [],
    scopes: before?.scopes ?? [],
    hosts: lines(form.hosts),
    starters: form.starters.split("\n").filter((line) => line.trim() !== ""),
    output_schema: before?.output_schema ?? null,
    examples: before?.examples ?? [],
    price: {
      fee_run: form.feeRun,
      fee_step: form.feeStep,
      model_cost_bp: Math.round(Number(form.share) * 100),
      max_fee: form.maxFee,
    },
    limits: {
      steps: Number(form.steps) || 10,
      tool_calls: before?.limits.tool_calls ?? 30,
      seconds: before?.limits.seconds ?? 600,
      cap_default: cap,
      cap_max: String(Math.max(Number(cap), Number(before?.limits.cap_max ?? 10))),
    },
  } as Draft;
}
