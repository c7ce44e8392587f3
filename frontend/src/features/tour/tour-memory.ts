import type { HostStorage } from "@/hosts/host";
import { steps } from "./steps";

const KEY = "marketplace.tour";
const FINISHED = "finished";

export function tourFinished(storage: HostStorage): boolean {
  return storage.getItem(KEY) === FINISHED;
}

/** The step where it was left; a finished tour begins anew. */
export function firstStep(storage: HostStorage): number {
  const kept = Number(storage.getItem(KEY) ?? 0);
  return Number.isInteger(kept) && kept > 0 && kept < steps.length ? kept : 0;
}

/** Keeps the step, or that the tour is finished. */
export function keepStep(storage: HostStorage, step: number | "finished"): void {
  storage.setItem(KEY, String(step));
}
