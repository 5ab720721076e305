import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, Epoch } from "@glia-os/abi/ids";
import type { Coordination } from "@glia-os/abi/ports";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { expect, test } from "vitest";
import type { Caller } from "../src/mesh-types.ts";
import { Arrivals } from "../src/migration/arrivals.ts";
import type { ChunkSource, MigratableCells } from "../src/migration/cells-port.ts";
import {
  chunkBody,
  firstHash,
  MOVE_METHODS,
  nextHash,
  planBody,
  stageBody,
} from "../src/migration/messages.ts";
import { digests } from "./digests.ts";

const AGENT = "ab".repeat(16) as AgentId;
const MOVE = new Uint8Array(16).fill(7);
const CALLER = { node: "cd".repeat(32) } as Caller;

/** A destination that keeps what it gets. */
function destination() {
  const time = new VirtualTime();
  const got: number[] = [];
  let complete = false;
  const cells = {
    admit: async () => undefined,
    discard: async () => undefined,
    stage: async (_agent: AgentId, _meta: Uint8Array, chunks: ChunkSource) => {
      for (let chunk = await chunks(); chunk !== undefined; chunk = await chunks()) got.push(...chunk);
      complete = true;
    },
  } as unknown as MigratableCells;
  const arrivals = new Arrivals({
    self: "ef".repeat(32) as never,
    clock: time,
    timers: time,
    digests,
    cells,
    coordination: () => ({}) as Coordination,
    sessionId: () => "session",
    call: async () => new Uint8Array(),
    onLive: () => undefined,
  });
  const methods = new Map(arrivals.methods());
  const call = (method: string, body: Uint8Array): Promise<Uint8Array> =>
    methods.get(method)?.(CALLER, body) as Promise<Uint8Array>;
  return { time, got, call, isComplete: () => complete, arrivals, cells };
}

test("an order to stage that overtakes the last bytes waits for them, and for all of them", async () => {
  const { time, got, call, isComplete } = destination();
  await call(
    MOVE_METHODS.plan,
    planBody({ move: MOVE, agent: AGENT, epoch: 1 as Epoch, estimatedBytes: 9, meta: new Uint8Array(1) }),
  );
  const [one, two] = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)];
  const first = nextHash(digests, firstHash(digests, MOVE), one);
  const last = nextHash(digests, first, two);
  let staged = false;
  const staging = call(MOVE_METHODS.stage, stageBody(MOVE, 5, last)).then(() => {
    staged = true;
  });
  await time.advance(10);
  void call(MOVE_METHODS.chunk, chunkBody({ move: MOVE, offset: 3, hash: last, bytes: two }));
  await time.advance(10);
  expect([staged, isComplete()]).toEqual([false, false]);
  void call(MOVE_METHODS.chunk, chunkBody({ move: MOVE, offset: 0, hash: first, bytes: one }));
  await staging;
  expect(got).toEqual([1, 2, 3, 4, 5]);
  expect(isComplete()).toBe(true);
});

test("MA3: a chunk is answered when whoever builds the agent asks for the next one, and refused when he refuses the agent", async () => {
  for (const refuses of [false, true]) {
    const { time, call, cells } = destination();
    const work = Promise.withResolvers<void>();
    let ended = false;
    cells.stage = async (_agent, _meta, chunks) => {
      await chunks();
      await work.promise;
      ended = (await chunks()) === undefined;
    };
    await call(
      MOVE_METHODS.plan,
      planBody({ move: MOVE, agent: AGENT, epoch: 1 as Epoch, estimatedBytes: 9, meta: new Uint8Array(1) }),
    );
    const bytes = Uint8Array.of(1, 2, 3);
    const hash = nextHash(digests, firstHash(digests, MOVE), bytes);
    let answered: string | undefined;
    call(MOVE_METHODS.chunk, chunkBody({ move: MOVE, offset: 0, hash, bytes })).then(
      () => {
        answered = "taken";
      },
      (error: unknown) => {
        answered = errorCodeOf(error);
      },
    );
    await time.advance(10);
    expect(answered, "while it is worked on").toBeUndefined();
    if (refuses) work.reject(new RangeError("it does not fit"));
    else work.resolve();
    await time.advance(10);
    expect(answered).toBe(refuses ? "mesh.migration-aborted" : "taken");
    if (refuses) continue;
    await call(MOVE_METHODS.stage, stageBody(MOVE, 3, hash));
    expect(ended).toBe(true);
  }
});

test("an order to stage whose bytes never come ends with the arrival", async () => {
  const { time, call, arrivals } = destination();
  await call(
    MOVE_METHODS.plan,
    planBody({ move: MOVE, agent: AGENT, epoch: 1 as Epoch, estimatedBytes: 9, meta: new Uint8Array(1) }),
  );
  const staging = call(MOVE_METHODS.stage, stageBody(MOVE, 5, new Uint8Array(32)));
  const refused = expect(staging).rejects.toMatchObject({ code: "mesh.migration-refused" });
  await time.advance(60_000);
  await refused;
  expect(arrivals.size).toBe(0);
});
