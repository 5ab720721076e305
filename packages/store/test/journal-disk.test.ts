import { errorCodeOf } from "@glia-os/abi/errors";
import { describe, expect, it } from "vitest";
import { JournalCorruptError } from "../src/journal/errors.ts";
import { FileJournalStore } from "../src/journal/file/file-store.ts";
import type { JournalReply, JournalRequest } from "../src/journal/request.ts";
import { batchOf } from "../src/journal/testing.ts";
import {
  contentOf,
  limits,
  performer,
  performOn,
  randomRequest,
  twinAfter,
} from "./fixtures/journal-twin.ts";
import { everySeed } from "./fixtures/seeds.ts";
import { type Fault, SECTORS, UnreliableDisk } from "./fixtures/unreliable-disk.ts";

const SEEDS = process.env["GLIA_SOAK"] === "1" ? 8_000 : 300;
const FILE_BYTES = 8 * 1024;

function openStore(disk: UnreliableDisk, chance: () => number): FileJournalStore {
  const salt = () => Uint8Array.from({ length: 8 }, () => Math.floor(chance() * 256));
  return new FileJournalStore(disk, { fileBytes: FILE_BYTES, salt }, limits);
}

const DISK_CODES: ReadonlySet<unknown> = new Set(["store.write-failed", "store.cannot-open", "store.full"]);

/** What became of a run: the requests that were acknowledged, and those of the group that failed. */
interface Run {
  readonly history: readonly JournalRequest[];
  readonly failed: readonly JournalRequest[];
}

/** Give a store random groups of requests until it refuses one for a fault, and check every answer against the twin's. */
function run(
  store: FileJournalStore,
  before: readonly JournalRequest[],
  chance: () => number,
  groups: number,
): Run {
  const history = [...before];
  const twin = twinAfter(history);
  for (let i = 0; i < groups; i++) {
    const requests: JournalRequest[] = [];
    const replies: (JournalReply | string)[] = [];
    for (let left = 1 + Math.floor(chance() * 4); left > 0; left--) {
      const request = randomRequest(twin, chance);
      requests.push(request);
      replies.push(performOn(twin, request));
    }
    const answers = store
      .perform(requests)
      .map((answer) => ("reply" in answer ? answer.reply : answer.refused.code));
    if (answers.some((answer) => DISK_CODES.has(answer))) return { history, failed: requests };
    expect(answers).toEqual(replies);
    history.push(...requests);
    store.idle();
  }
  return { history, failed: [] };
}

/**
 * Open what a disk holds and find which requests of the failed group it kept: each whole or not at all, in their order. (Not only the
 * first ones: one that needed a new file is refused by itself.) @throws when it holds anything else.
 */
function recovered(
  disk: UnreliableDisk,
  { history, failed }: Run,
  chance: () => number,
): readonly JournalRequest[] {
  const content = contentOf(performer(openStore(disk, chance)));
  for (let kept = 0; kept < 2 ** failed.length; kept++) {
    const possible = [...history, ...failed.filter((_request, i) => (kept & (1 << i)) !== 0)];
    if (contentOf(twinAfter(possible)) === content) return possible;
  }
  expect.fail(`a state that was never acknowledged and never asked for:\n${content}`);
}

describe(`the journal's files on an unreliable disk, ${SEEDS} seeds`, () => {
  it("without faults the journal answers and holds the same as its rules alone, also after each reopening", () => {
    everySeed(SEEDS, (chance) => {
      const disk = new UnreliableDisk();
      let history: readonly JournalRequest[] = [];
      for (let opening = 0; opening < 3; opening++) {
        const done = run(openStore(disk, chance), history, chance, 30);
        history = recovered(disk, done, chance);
        expect(history.length).toBe(done.history.length);
      }
    });
  });

  it("W1, W3, V2, V4: after a loss of power at any call, what was acknowledged is there and no request is there in part", () => {
    everySeed(SEEDS, (chance) => {
      const disk = new UnreliableDisk(pick(SECTORS, chance));
      let history: readonly JournalRequest[] = [];
      for (let crash = 0; crash < 4; crash++) {
        const store = openStore(disk, chance);
        disk.faultAt = failFrom(disk.calls + 1 + Math.floor(chance() * 60), {
          on: "write",
          code: "EIO",
          part: chance(),
        });
        const done = run(store, history, chance, 60);
        disk.faultAt = () => undefined;
        disk.crash(chance);
        history = recovered(disk, done, chance);
      }
    });
  });

  it("W2: after a failed write or flush everything is refused, and a reopening finds what was acknowledged", () => {
    everySeed(SEEDS, (chance) => {
      const disk = new UnreliableDisk();
      const store = openStore(disk, chance);
      const on = chance() < 0.5 ? "write" : "sync";
      let calls = 1 + Math.floor(chance() * 30);
      disk.faultAt = (_call, what) =>
        what === on && --calls === 0
          ? { on, code: "EIO", part: chance(), thenClean: chance() < 0.5 }
          : undefined;
      const done = run(store, [], chance, 60);
      if (done.failed.length > 0)
        for (const request of [
          { op: "head", domain: "d0" },
          { op: "seal", domain: "d0" },
          ...done.failed,
        ] as const)
          expect(store.perform([request])).toMatchObject([{ refused: { code: "store.write-failed" } }]);
      disk.faultAt = () => undefined;
      disk.crash(chance);
      recovered(disk, done, chance);
    });
  });

  it("a full disk refuses the batch that needs a new file, changes nothing, and takes it when there is room again", () => {
    everySeed(SEEDS, (chance) => {
      const disk = new UnreliableDisk();
      const store = openStore(disk, chance);
      disk.faultAt = (_call, what) => (what === "create" ? { on: "create", code: "ENOSPC" } : undefined);
      const before: JournalRequest[] = [];
      let refused: JournalRequest | undefined;
      for (let seq = 1; refused === undefined; seq += 500) {
        const request = { op: "append", ...batchOf("d0", 1, seq, 500) } as const;
        const [answer] = store.perform([request]);
        if (answer !== undefined && "refused" in answer) refused = request;
        else before.push(request);
        if (refused !== undefined) expect(answer).toMatchObject({ refused: { code: "store.full" } });
      }
      expect(contentOf(performer(store))).toBe(contentOf(twinAfter(before)));
      disk.faultAt = () => undefined;
      expect(store.perform([refused])).toEqual([{ reply: undefined }]);
      recovered(disk, { history: [...before, refused], failed: [] }, chance);
    });
  });

  it("V1, V2, V3: a flipped bit anywhere gives the right records, a refusal that names the place, or the loss of the last group, reported", () => {
    everySeed(SEEDS, (chance) => {
      const disk = new UnreliableDisk();
      const { history } = run(openStore(disk, chance), [], chance, 40);
      const name = pick(disk.list(), chance);
      const bytes = disk.bytesOf(name);
      const at = Math.floor(chance() * bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(chance() * 8));
      expectSoundOrRefused(disk, history, chance);
    });
  });

  it("a disk that cannot read a place refuses the journal by a typed error, and gives it whole when it can again", () => {
    everySeed(SEEDS, (chance) => {
      const disk = new UnreliableDisk();
      const { history } = run(openStore(disk, chance), [], chance, 40);
      let reads = 1 + Math.floor(chance() * 12);
      disk.faultAt = (_call, on) => (on === "read" && --reads === 0 ? { on, code: "EIO" } : undefined);
      try {
        contentOf(performer(openStore(disk, chance)));
      } catch (error) {
        expect([...DISK_CODES, "store.corrupt"], String(error)).toContain(errorCodeOf(error));
      }
      disk.faultAt = () => undefined;
      recovered(disk, { history, failed: [] }, chance);
    });
  });

  it("V1, V3: a file that is missing, emptied or swapped with another is refused by name, or held nothing", () => {
    everySeed(SEEDS, (chance) => {
      const disk = new UnreliableDisk();
      const { history } = run(openStore(disk, chance), [], chance, 60);
      const [name, other] = [pick(disk.list(), chance), pick(disk.list(), chance)];
      const way = chance();
      if (way < 0.4) disk.remove(name);
      else if (way < 0.7) disk.bytesOf(name).fill(0);
      else disk.bytesOf(name).set(disk.bytesOf(other));
      if (disk.list().length > 0) expectSoundOrRefused(disk, history, chance);
    });
  });
});

function pick<T>(from: readonly T[], chance: () => number): T {
  return from[Math.floor(chance() * from.length)] as T;
}

/** The journal opens with all of `history`, or with all but its last requests and says what it cut off, or is refused. */
function expectSoundOrRefused(
  disk: UnreliableDisk,
  history: readonly JournalRequest[],
  chance: () => number,
): void {
  let store: FileJournalStore;
  try {
    store = openStore(disk, chance);
  } catch (error) {
    expect(error).toBeInstanceOf(JournalCorruptError);
    return;
  }
  const content = contentOf(performer(store));
  if (content === contentOf(twinAfter(history))) return;
  // A group has up to four requests that wrote something; requests after it may have written nothing.
  const shorter = Array.from({ length: 12 }, (_, i) => contentOf(twinAfter(history.slice(0, -1 - i))));
  expect(shorter).toContain(content);
  expect(store.cut).toBeDefined();
}

/** Fail every call from one on, as a machine without power does. */
function failFrom(first: number, fault: Fault): (call: number) => Fault | undefined {
  return (call) => (call >= first ? fault : undefined);
}
