/** How long after a crash the others noticed: the first of them, and the last. */

/** When members believed others dead. */
export class DetectionTimes {
  readonly #seen: { readonly viewer: number; readonly subject: number; readonly atMs: number }[] = [];

  /** A member believes another dead, at a time of the caller's clock. */
  note(viewer: number, subject: number, atMs: number): void {
    this.#seen.push({ viewer, subject, atMs });
  }

  /** The views of one crash until `untilMs`, in milliseconds after it; undefined when nobody noticed. Each viewer counts once. */
  of(
    subject: number,
    crashMs: number,
    untilMs: number = Number.POSITIVE_INFINITY,
  ): { readonly firstMs: number; readonly allMs: number; readonly viewers: number } | undefined {
    const first = new Map<number, number>();
    for (const { viewer, subject: about, atMs } of this.#seen)
      if (about === subject && atMs >= crashMs && atMs < untilMs && !first.has(viewer))
        first.set(viewer, atMs - crashMs);
    if (first.size === 0) return undefined;
    const times = [...first.values()];
    return {
      firstMs: times.reduce((least, ms) => Math.min(least, ms)),
      allMs: times.reduce((most, ms) => Math.max(most, ms)),
      viewers: first.size,
    };
  }
}

/** The value below which `share` of the values lie; undefined of none. Nearest rank. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
