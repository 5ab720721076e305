/** What the catalogue says, and what it should say. */

/** Files and bytes of one kind. */
export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** The report of the agent (agent.ts). */
export interface CatalogueReport extends Amount {
  readonly applied: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly kinds: readonly (readonly [kind: string, Amount])[];
}

/** Kinds that are told apart; files of others are of the kind `(other)`. */
export const KINDS_MAX = 1000;

/** The kind of a file, from its name: its ending of 1 to 12 letters and digits, in lower case. */
export function kindOf(path: Buffer): string {
  const name = path.subarray(path.lastIndexOf(0x2f) + 1).toString("latin1");
  return /.\.([a-z0-9]{1,12})$/i.exec(name)?.[1]?.toLowerCase() ?? "(none)";
}

/** An independent catalogue: what was sent, added up here. */
export class ExpectedCatalogue {
  readonly #kinds = new Map<string, Amount>();

  /** The kind a file is sent as. */
  take(path: Buffer, bytes: number): string {
    const own = kindOf(path);
    const kind = this.#kinds.has(own) || this.#kinds.size < KINDS_MAX ? own : "(other)";
    const before = this.#kinds.get(kind) ?? { files: 0, bytes: 0 };
    this.#kinds.set(kind, { files: before.files + 1, bytes: before.bytes + bytes });
    return kind;
  }

  /** Sentences for everything that should agree and does not. */
  differences(report: CatalogueReport, sent: number): string[] {
    const found: string[] = [];
    if (report.lost > 0) found.push(`the catalogue lost ${report.lost} messages`);
    if (report.duplicated > 0) found.push(`the catalogue was given ${report.duplicated} messages twice`);
    if (report.applied !== sent) found.push(`the catalogue applied ${report.applied} of ${sent} messages`);
    const said = new Map(report.kinds);
    for (const kind of new Set([...said.keys(), ...this.#kinds.keys()])) {
      const [ours, theirs] = [amountText(said.get(kind)), amountText(this.#kinds.get(kind))];
      if (ours !== theirs)
        found.push(`kind ${kind}: the catalogue has ${ours}, the independent one ${theirs}`);
    }
    return found;
  }
}

function amountText(amount: Amount | undefined): string {
  return amount === undefined ? "nothing" : `${amount.files} files of ${amount.bytes} bytes`;
}
