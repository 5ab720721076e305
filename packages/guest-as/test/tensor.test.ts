/** A guest whose tensors live with its host, in `glia.tensor.v1`: it moves in the middle of a loop and goes on with the same bits. */
import type { GuestHost, StepOutcome } from "@glia-os/abi/ports";
import { scalarBackend } from "@glia-os/tensor";
import { tensorHostModule } from "@glia-os/tensor/guests";
import {
  createWasmEngine,
  decodeSnapshot,
  encodeSnapshot,
  inspectModule,
  type WasmInstance,
  type WasmProgram,
} from "@glia-os/wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { guestModule } from "./guests.ts";

let bytes: Uint8Array;
beforeAll(async () => {
  bytes = await guestModule("tensor-regression");
});

/** Drives one guest over hosts; `moveAt` says after which yields it goes through bytes to the next host. */
class Run {
  readonly replies: Uint8Array[] = [];
  readonly logs: string[] = [];
  readonly host: GuestHost = {
    log: (_, text) => this.logs.push(text),
    wallMs: () => 0,
    random: () => undefined,
    reply: (payload) => {
      this.replies.push(payload.slice());
      return 0;
    },
  };
  readonly #hosts: readonly WasmProgram[];
  instance: WasmInstance;
  outcome: StepOutcome;
  moves = 0;
  yields = 0;
  snapshotBytes = 0;

  constructor(hosts: readonly WasmProgram[]) {
    this.#hosts = hosts;
    this.instance = (hosts[0] as WasmProgram).instantiate({}, this.host);
    this.outcome = this.instance.step();
  }

  train(rounds: number, moveAt: (yielded: number) => boolean): void {
    this.outcome = this.instance.step({ value: 0, payload: Uint8Array.of(rounds) });
    while (this.outcome.kind === "pending" && this.outcome.call.op === "yield") {
      this.yields += 1;
      if (moveAt(this.yields)) this.move();
      this.outcome = this.instance.step({ value: 0 });
    }
  }

  move(): void {
    const image = Buffer.concat([...encodeSnapshot(this.instance.snapshot())]);
    this.snapshotBytes = image.length;
    this.instance.dispose();
    this.moves += 1;
    const next = this.#hosts[this.moves % this.#hosts.length] as WasmProgram;
    this.instance = next.restore(decodeSnapshot(image), {}, this.host);
  }
}

function host(makeBackend?: typeof scalarBackend): Promise<WasmProgram> {
  const module = tensorHostModule(makeBackend === undefined ? {} : { makeBackend });
  return createWasmEngine({ hostModules: [module] }).admit(bytes, ["glia.v1", "glia.tensor.v1"]);
}

function lossOf(reply: Uint8Array | undefined): number {
  const { buffer, byteOffset, byteLength } = reply as Uint8Array;
  return new DataView(buffer, byteOffset, byteLength).getFloat64(0, true);
}

describe("a guest that trains a network with the host's tensors", () => {
  it("learns, and ends with the same bits whether it stayed or moved 40 times in the middle of its loop, also between backends", async () => {
    const stayed = new Run([await host()]);
    const moved = new Run([await host(), await host(scalarBackend)]);
    for (const run of [stayed, moved])
      for (const rounds of [0, 100, 100]) run.train(rounds, (at) => run === moved && at % 5 === 0);
    expect(stayed.logs).toEqual([]);
    expect([stayed.moves, moved.moves]).toEqual([0, 40]);
    expect(moved.replies).toEqual(stayed.replies);
    const losses = stayed.replies.map(lossOf);
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 2);
    expect(moved.snapshotBytes).toBeGreaterThan(2 * 32 * 4);
  });

  it("is not restored where the host module is not offered", async () => {
    const run = new Run([await host()]);
    run.train(1, () => false);
    const image = run.instance.snapshot();
    const other = { ...tensorHostModule(), version: 2 };
    const newer = await createWasmEngine({ hostModules: [other] }).admit(bytes, [
      "glia.v1",
      "glia.tensor.v1",
    ]);
    expect(() => newer.restore(image, {}, run.host)).toThrow(/glia\.tensor\.v1/);
    await expect(createWasmEngine().admit(bytes, ["glia.v1", "glia.tensor.v1"])).rejects.toThrow(
      /glia\.tensor\.v1/,
    );
  });

  it("is a module whose imports are all offered, as its inspection says", () => {
    const { imports } = inspectModule(bytes);
    const tensors = imports.filter(({ module }) => module === "glia.tensor.v1");
    expect(tensors.length).toBeGreaterThan(5);
    expect(new Set(tensors.map(({ offeredBy }) => offeredBy))).toEqual(new Set(["glia.tensor.v1"]));
    expect(imports.some(({ offeredBy }) => offeredBy === "nobody")).toBe(false);
  });

  it("is not loaded without the grant", async () => {
    const engine = createWasmEngine({ hostModules: [tensorHostModule()] });
    await expect(engine.admit(bytes, ["glia.v1"])).rejects.toThrow(/glia\.tensor\.v1/);
  });

  it("is not restored by a host whose quota is smaller than its tensors", async () => {
    const run = new Run([await host()]);
    run.train(1, () => false);
    const small = createWasmEngine({ hostModules: [tensorHostModule({ quotaBytes: 256 })] });
    const program = await small.admit(bytes, ["glia.v1", "glia.tensor.v1"]);
    expect(() => program.restore(run.instance.snapshot(), {}, run.host)).toThrow(/of 256 bytes/);
  });

  it("stops with the reason in its log when it goes over its quota", async () => {
    const small = createWasmEngine({ hostModules: [tensorHostModule({ quotaBytes: 512 })] });
    const run = new Run([await small.admit(bytes, ["glia.v1", "glia.tensor.v1"])]);
    expect(run.outcome.kind).toBe("failed");
    expect(run.logs.join()).toMatch(/tensor: .* bytes were asked for where \d+ of 512 bytes are in use/);
  });
});
