/** A process that runs one agent: takes orders from its parent (`start`, `send`, `freeze`, `resume`), and tells replies. */
import { randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createWasmEngine } from "@glia-os/wasm";
import {
  type AgentPorts,
  type AgentRun,
  goldenState,
  startAgentRun,
  unpackAgentRun,
} from "../src/run/index.ts";

/** What the process tells. */
export type HostEvent =
  | { readonly kind: "reply"; readonly message: number; readonly reply: string }
  | { readonly kind: "running" }
  | { readonly kind: "frozen"; readonly bytes: string; readonly op: string };

type Order =
  | { readonly kind: "start" }
  | { readonly kind: "send"; readonly text: string }
  | { readonly kind: "freeze"; readonly afterSlices: number }
  | { readonly kind: "resume"; readonly bytes: string };

/** A small generator of numbers (mulberry32), so that a printed seed repeats a run. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (process.send !== undefined && process.argv[2] !== undefined && process.argv[1] === import.meta.filename)
  await serve(process.argv[2]);

async function serve(module: string): Promise<void> {
  const program = await createWasmEngine().admit(readFileSync(module), ["glia.v1"]);
  const golden = goldenState(program);
  const tell = (event: HostEvent): void => void process.send?.(event);
  const ports: AgentPorts = {
    wallMs: () => Date.now(),
    random: (target) => void randomFillSync(target),
    log: () => undefined,
    reply: (message, payload) => tell({ kind: "reply", message, reply: Buffer.from(payload).toString() }),
  };
  const options = { mailboxMessages: 65_536 };
  let run: AgentRun | undefined;
  let slicesLeft = Infinity;
  const loop = (): void => {
    if (run === undefined) return;
    if (slicesLeft-- <= 0) {
      freeze();
      return;
    }
    const { kind } = run.run(1);
    if (kind !== "ended" && kind !== "failed") setImmediate(loop);
  };
  const freeze = (): void => {
    const op = run?.call ?? "";
    const bytes = Buffer.from((run as AgentRun).pack(golden)).toString("base64");
    run = undefined;
    tell({ kind: "frozen", bytes, op });
  };
  process.on("message", (order: Order) => {
    if (order.kind === "send") run?.send(Buffer.from(order.text));
    else if (order.kind === "freeze") slicesLeft = order.afterSlices;
    else {
      run =
        order.kind === "start"
          ? startAgentRun(program, ports, options)
          : unpackAgentRun(program, Buffer.from(order.bytes, "base64"), ports, options, golden);
      slicesLeft = Infinity;
      tell({ kind: "running" });
      setImmediate(loop);
    }
  });
}
