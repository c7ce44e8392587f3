/** `4 s`, `2 min 05 s`: a wait that ticks. A clock that is a little behind the server's shows 0. */
export function waited(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

/** `870 ms`, `1.2 s`, a dash where nothing was measured. */
export function lasted(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
