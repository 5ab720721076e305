/** Runs guests in a worker: one that answers, then one that never gives control back. */
import { parentPort, workerData } from "node:worker_threads";
import { createWasmEngine } from "../src/index.ts";
import { Heartbeat } from "../src/watchdog.ts";

const { shared, quick, endless } = workerData as {
  shared: SharedArrayBuffer;
  quick: Uint8Array;
  endless: Uint8Array;
};
const engine = createWasmEngine({ heartbeat: new Heartbeat(shared) });
const host = { log: () => undefined, wallMs: () => 0, random: () => undefined, reply: () => 0 };
const first = (await engine.admit(quick, ["glia.v1"])).instantiate({}, host);
const second = (await engine.admit(endless, ["glia.v1"])).instantiate({ stepMs: 50 }, host);
parentPort?.postMessage(first.step());
second.step();
parentPort?.postMessage("the endless guest came back");
