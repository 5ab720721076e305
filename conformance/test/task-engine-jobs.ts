/** The jobs of the contract of engines for tasks. A module of its own, so that workers can load it. */

export function seven(): number {
  return 7;
}

export function fails(): never {
  throw new RangeError("this is its job");
}

/** Waits for ever; in a thread and a process of its own it may as well compute. */
export function endless(): Promise<never> {
  return new Promise(() => setInterval(() => undefined, 1000));
}

export function busy(): never {
  for (let turns = 0; ; turns = (turns + 1) % 1000) Math.sqrt(turns);
}
