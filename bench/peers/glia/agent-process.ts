/** A process that runs one agent for the benchmark of moves: orders `start`, `freeze`, `resume`; says when it is frozen and when it runs again. */
import { readFileSync } from "node:fs";
import { type AgentRun, goldenState, startAgentRun, unpackAgentRun } from "@glia-os/guest-js/run";
import { createWasmEngine } from "@glia-os/wasm";

type Order =
  | { readonly kind: "start" }
  | { readonly kind: "freeze" }
  | { readonly kind: "resume"; readonly bytes: Uint8Array };

const program = await createWasmEngine().admit(readFileSync(process.argv[2] as string), ["glia.v1"]);
const golden = goldenState(program);
const ports = {
  wallMs: () => Date.now(),
  random: (target: Uint8Array) => void target.fill(3),
  log: () => undefined,
  reply: () => undefined,
};
let run: AgentRun | undefined;

function loop(): void {
  if (run === undefined) return;
  run.run(1);
  setImmediate(loop);
}

process.on("message", (order: Order) => {
  if (order.kind === "freeze") {
    const op = run?.call;
    const bytes = (run as AgentRun).pack(golden);
    run = undefined;
    process.send?.({ kind: "frozen", op, bytes });
    return;
  }
  run =
    order.kind === "start"
      ? startAgentRun(program, ports)
      : unpackAgentRun(program, order.bytes, ports, {}, golden);
  // Its first message begins a loop without end.
  if (order.kind === "start") run.send(new Uint8Array(1));
  run.run(1);
  process.send?.({ kind: "running" });
  setImmediate(loop);
});
process.send?.({ kind: "ready" });
