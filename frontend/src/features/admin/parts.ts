/** The console's parts, in order. Kept apart from their pages: an address is read before any of them is loaded. */
export const partNames = {
  overview: "Overview",
  people: "People",
  payments: "Payments",
  codes: "Codes",
  answers: "Disputed answers",
  agents: "Agents",
  usage: "Usage",
  activity: "Activity",
  providers: "Providers",
  models: "Models and prices",
  alerts: "Alerts",
  mail: "Mail",
  settings: "Settings",
  audit: "Audit log",
} as const;

export type Part = keyof typeof partNames;

export const isPart = (value: unknown): value is Part => typeof value === "string" && value in partNames;
