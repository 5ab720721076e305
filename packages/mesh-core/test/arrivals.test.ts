import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, Epoch } from "@glia-os/abi/ids";
import type { Coordination } from "@glia-os/abi/ports";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import { expect, test } from "vitest";
import { inOnePiece } from "../src/codec/joined-bytes.ts";
import type { Caller } from "../src/mesh-types.ts";
import { Arrivals } from "../src/migration/arrivals.ts";
import type { ChunkSource, MigratableCells } from "../src/migration/cells-port.ts";
import {
  chunkBody,
  firstHash,
  MOVE_METHODS,
  moveBody,
  nextHash,
  planBody,
  stageBody,
} from "../src/migration/messages.ts";
import { digests } from "./digests.ts";

const chunk = (request: Parameters<typeof chunkBody>[0]): Uint8Array => inOnePiece(chunkBody(request));
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
  void call(MOVE_METHODS.chunk, chunk({ move: MOVE, offset: 3, hash: last, bytes: two }));
  await time.advance(10);
  expect([staged, isComplete()]).toEqual([false, false]);
  void call(MOVE_METHODS.chunk, chunk({ move: MOVE, offset: 0, hash: first, bytes: one }));
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
    call(MOVE_METHODS.chunk, chunk({ move: MOVE, offset: 0, hash, bytes })).then(
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

test("MA6: a plan is answered when the agent is built as far as that goes without its state, and refused as that was", async () => {
  for (const refuses of [false, true]) {
    const { time, call, cells, arrivals } = destination();
    const room = Promise.withResolvers<void>();
    let dropped = 0;
    cells.discard = async () => void dropped++;
    cells.stage = async (_agent, _meta, chunks) => {
      await room.promise;
      await chunks();
    };
    let answered: unknown;
    call(
      MOVE_METHODS.plan,
      planBody({ move: MOVE, agent: AGENT, epoch: 1 as Epoch, estimatedBytes: 9, meta: new Uint8Array(1) }),
    ).then(
      () => {
        answered = "taken";
      },
      (error: unknown) => {
        answered = error;
      },
    );
    await time.advance(10);
    expect(answered, "while room is made").toBeUndefined();
    const why = new RangeError("no room");
    if (refuses) room.reject(why);
    else room.resolve();
    await time.advance(10);
    expect(answered).toBe(refuses ? why : "taken");
    expect([arrivals.size, dropped]).toEqual(refuses ? [0, 1] : [1, 0]);
  }
});

test("MA6: a plan whose move is off before that is refused, and what was built of it is dropped", async () => {
  const { time, call, cells, arrivals } = destination();
  const room = Promise.withResolvers<void>();
  let dropped = 0;
  cells.discard = async () => void dropped++;
  cells.stage = async (_agent, _meta, chunks) => {
    await room.promise;
    await chunks();
  };
  const planned = call(
    MOVE_METHODS.plan,
    planBody({ move: MOVE, agent: AGENT, epoch: 1 as Epoch, estimatedBytes: 9, meta: new Uint8Array(1) }),
  );
  planned.catch(() => undefined);
  await time.advance(10);
  await call(MOVE_METHODS.abort, moveBody(MOVE));
  expect([arrivals.size, dropped]).toEqual([0, 1]);
  room.resolve();
  await expect(planned).rejects.toMatchObject({ code: "mesh.migration-refused" });
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
