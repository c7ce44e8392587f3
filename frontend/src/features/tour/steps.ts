/** Where a step plays. `task`: what stands in the marketplace's search; `draft`: an example for an empty composer. */
export interface TourPlace {
  page: "workbench" | "last-chat" | "account" | "connect";
  pane?: "market" | "chat";
  task?: string;
  draft?: string;
}

export interface TourStep {
  title: string;
  text: string;
  place: TourPlace;
  /** The element it speaks of; of several that are visible, the last one. */
  anchor: string;
}

const TASK = "find out why my asyncio test hangs";

export const steps: readonly TourStep[] = [
  {
    title: "Search, or say what you want done",
    text: "One box for both. The cards follow while you type, spelling is forgiven, and filters stay in the address.",
    place: { page: "workbench", pane: "market", task: "claude opus" },
    anchor: '[data-tour="search"]',
  },
  {
    title: "Ask Q Assistant",
    text: "Press it: Q ranks models for this task and says why, what an answer will cost, and what each pick gives up. It works on this machine, so your words go nowhere.",
    place: { page: "workbench", pane: "market", task: TASK },
    anchor: '[data-tour="assistant"]',
  },
  {
    title: "Read a card",
    text: "Price per million tokens in and out, context, abilities, whether it can be used here, and how good it is: rated by paying users, or a dated public benchmark. Open it for offers and sources.",
    place: { page: "workbench", pane: "market", task: "" },
    anchor: '[data-cell="0"]',
  },
  {
    title: "Compare two to four",
    text: "Take models into the comparison with this button, or with the key x on a card. A table then marks where they differ.",
    place: { page: "workbench", pane: "market", task: "" },
    anchor: '[data-cell="0"] [data-tour="compare"]',
  },
  {
    title: "Know the cost before you send",
    text: "Under the text stands what this message will usually cost, and what it rarely exceeds. Enter sends it, and Stop stops at once; you pay for what came.",
    place: { page: "workbench", pane: "chat", draft: "What is a race condition? Answer in two sentences." },
    anchor: 'form[aria-label="Message"]',
  },
  {
    title: "A receipt for every answer",
    text: "This button tells what happened: who was asked, who answered, tokens, price, and how the estimate compares with the bill.",
    place: { page: "last-chat" },
    anchor: '[data-tour="receipt"]',
  },
  {
    title: "Every cent accounted for",
    text: "Your balance, and each movement of it with the balance after. Usage by model, plan and keys are on this page too.",
    place: { page: "account" },
    anchor: '[data-tour="statement"]',
  },
  {
    title: "Use it from your own editor",
    text: "Make a key, with a cap and an end if you like, choose your tool, copy the settings: Continue, Cline, aider, Zed, VS Code or any SDK.",
    place: { page: "connect" },
    anchor: '[data-tour="connect"]',
  },
];
