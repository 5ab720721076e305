/**
 * Whether domains that live can go on with other code: each is replayed against it, and nothing is performed or written.
 *
 * U1. `safe`: the new code asks for what the journal says, up to its end. What it does after that is not judged.
 * U2. `diverges`: it does something else at a record; the domain has to end with the code it has, or be forked before that record.
 * U3. `pinned`: the new code does not offer the domain's program, or not its version. The domain stays with the code that does.
 */
import type { Sha256 } from "./derived-random.ts";
import { BadJournalError, DivergedError, type Divergence, ProgramUnknownError } from "./errors.ts";
import { type BeforeBody, replayLive } from "./live-replay.ts";
import { liveRecords, type ReadableJournal } from "./logged-record.ts";
import type { DurableProgram } from "./program.ts";
import { KIND, type ValueSource } from "./record.ts";
import { Replay } from "./replay.ts";

/** What new code means for one domain. `ended` domains need no code; `damaged` journals cannot be judged. */
export type UpgradeVerdict =
  | { readonly domain: string; readonly state: "ended" }
  | { readonly domain: string; readonly state: "safe"; readonly records: number }
  | {
      readonly domain: string;
      readonly state: "diverges";
      readonly seq: number;
      readonly divergence: Divergence;
    }
  | { readonly domain: string; readonly state: "pinned" | "damaged"; readonly why: string };

/** What a domain is judged with. */
export interface UpgradeOptions {
  /** The programs of the new code. */
  readonly programs: readonly DurableProgram[];
  readonly digests: Sha256;
  /** Large values of the domain, and what loads them. */
  readonly values?: ValueSource & { load(body: Uint8Array): Promise<void> };
}

/** Judge one domain. O(records). */
export async function judgeUpgrade(
  journal: ReadableJournal,
  domain: string,
  { programs, digests, values }: UpgradeOptions,
): Promise<UpgradeVerdict> {
  const make = (): Replay =>
    new Replay({
      domain,
      programOf: (name) => programs.find((each) => each.name === name),
      digests,
      keepPositions: true,
      values,
    });
  const before: BeforeBody | undefined = values === undefined ? undefined : (body) => values.load(body);
  try {
    const replay = await replayLive(journal, domain, make, before === undefined ? {} : { before });
    if (replay.ended !== undefined) return { domain, state: "ended" };
    return { domain, state: "safe", records: replay.nextSeq - 1 };
  } catch (error) {
    if (await hasEnded(journal, domain)) return { domain, state: "ended" };
    return verdictOf(domain, error);
  }
}

/** The program has another version than the domain. */
const CHANGED = "durable.program-changed";

function codeOf(error: unknown): unknown {
  return (error as { readonly code?: unknown } | null)?.code;
}

async function hasEnded(journal: ReadableJournal, domain: string): Promise<boolean> {
  let last = 0;
  try {
    for await (const { row } of liveRecords(journal, domain)) if (row.kind !== KIND.restart) last = row.kind;
  } catch {
    // The journal is damaged: that is the verdict.
  }
  return last === KIND.exit;
}

function verdictOf(domain: string, error: unknown): UpgradeVerdict {
  const why = error instanceof Error ? error.message : String(error);
  if (error instanceof DivergedError)
    return { domain, state: "diverges", seq: error.divergence.seq, divergence: error.divergence };
  if (error instanceof ProgramUnknownError || codeOf(error) === CHANGED)
    return { domain, state: "pinned", why };
  if (error instanceof BadJournalError) return { domain, state: "damaged", why };
  // The new code itself refused: its `run` threw for the recorded input, or it is not durable.
  const divergence = { domain, seq: 1, recorded: "that it began", attempted: `failed: ${why}`, position: [] };
  return { domain, state: "diverges", seq: 1, divergence };
}
