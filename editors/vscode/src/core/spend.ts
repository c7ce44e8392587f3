/** What was spent, by day of the user's own clock. Kept by whoever gives `load` and `save`; dollars. */
export interface Kept {
  day: string;
  spent: number;
  calls: number;
}

export class DaySpend {
  constructor(
    private readonly load: () => Kept | undefined,
    private readonly save: (kept: Kept) => void,
    private readonly today: () => string = localDay,
  ) {}

  get now(): Kept {
    const kept = this.load();
    return kept?.day === this.today() ? kept : { day: this.today(), spent: 0, calls: 0 };
  }

  add(cost: number): void {
    const { day, spent, calls } = this.now;
    this.save({ day, spent: spent + cost, calls: calls + 1 });
  }

  /** What is left of a limit; a limit of 0 or less is none. */
  left(limit: number): number {
    return limit > 0 ? Math.max(0, limit - this.now.spent) : Number.POSITIVE_INFINITY;
  }
}

function localDay(): string {
  const now = new Date();
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

/** Whether a notice is due: once each time the balance falls to or below the threshold. */
export class LowBalance {
  private told = false;

  due(available: number, threshold: number): boolean {
    if (available > threshold) this.told = false;
    if (this.told || threshold <= 0 || available > threshold) return false;
    this.told = true;
    return true;
  }
}
