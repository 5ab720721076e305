/**
 * The second agent of the demo, in TypeScript: a catalogue of the files by their kind. It runs in QuickJS in a WebAssembly sandbox, with a warm replica
 * on another node.
 *
 * CA1. Every message has a number; one that comes again is counted and not applied, and a gap in the numbers is counted as lost.
 */
import { defineAgent } from "@glia-os/guest-js";

/** What it is sent for each file; without `kind` it only has a number. */
interface Entry {
  readonly number: number;
  readonly kind?: string;
  readonly bytes?: number;
}

interface Catalogue {
  last: number;
  applied: number;
  lost: number;
  duplicated: number;
  files: number;
  bytes: number;
  readonly kinds: Map<string, { files: number; bytes: number }>;
}

function apply(catalogue: Catalogue, { number, kind, bytes = 0 }: Entry): void {
  if (number <= catalogue.last) {
    catalogue.duplicated += 1;
    return;
  }
  catalogue.lost += number - catalogue.last - 1;
  catalogue.last = number;
  catalogue.applied += 1;
  if (kind === undefined) return;
  catalogue.files += 1;
  catalogue.bytes += bytes;
  const of = catalogue.kinds.get(kind) ?? { files: 0, bytes: 0 };
  catalogue.kinds.set(kind, { files: of.files + 1, bytes: of.bytes + bytes });
}

defineAgent<Catalogue>({
  state: () => ({
    last: 0,
    applied: 0,
    lost: 0,
    duplicated: 0,
    files: 0,
    bytes: 0,
    kinds: new Map(),
  }),
  receive(message, catalogue) {
    const text = message.text();
    if (text !== "report") return void apply(catalogue, JSON.parse(text) as Entry);
    const { last: _, kinds, ...totals } = catalogue;
    return { ...totals, kinds: [...kinds] };
  },
});
