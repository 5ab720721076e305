/** SD3: when an agent's answer leaves, seen from its host call by call. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { GuestHost, StepOutcome } from "@glia-os/abi/ports";
import { RIGHTS } from "@glia-os/abi/syscalls";
import { CapabilityMirror, createWasmEngine, type WasmInstance } from "@glia-os/wasm";
import { expect, test } from "vitest";
import { inline } from "./agent-modules.ts";

const SOURCE = `
  import { agent } from "@glia-os/cells/agent";
  export default agent({
    name: "listener",
    state: () => ({}),
    on: {
      hear: { handle() {} },
      listen: {
        handle(ctx, topic: string) {
          ctx.subscribe(topic, "hear");
          ctx.tell("${"a".repeat(32)}", "before");
          return "listens";
        },
      },
      plain: { handle: () => "plain" },
    },
  });`;
const SELF = { id: "b".repeat(32), name: "listener" };
const FROM = { id: "c".repeat(32) };
const FUEL = 10_000_000;
const DONE = new TextEncoder().encode("null");
const TEXT = new TextDecoder();

/** What a run of the agent asked of its host, in order; it is given messages, and each of its calls succeeds unless it is refused. */
async function run(
  messages: readonly unknown[],
  answered: readonly boolean[] = [],
): Promise<readonly string[]> {
  const module = await inline(SOURCE);
  const program = await createWasmEngine().admit(module.bytes, module.grants);
  const order: string[] = [];
  const waits = [...answered];
  const offered = [
    { kind: "rebind-by-name", name: "agents", target: "agents", rights: RIGHTS.exec },
  ] as const;
  const host: GuestHost = {
    log: (_level, text) => void order.push(`log ${text}`),
    wallMs: () => 1_000_000,
    random: (target) => void target.fill(7),
    capabilities: new CapabilityMirror(offered, false, { full: false, note: () => undefined }),
    reply: (payload) => {
      const accepted = waits.shift() ?? true;
      const { input, host: later } = JSON.parse(TEXT.decode(payload)) as Record<string, string>;
      order.push(`${accepted ? "answer" : "nobody waits for"} ${input ?? later}`);
      return accepted ? 0 : -6;
    },
  };
  const instance = program.instantiate({}, host) as WasmInstance;
  const mail = messages.map((one) => new TextEncoder().encode(JSON.stringify(one)));
  let outcome: StepOutcome = instance.step(undefined, FUEL);
  for (;;) {
    if (outcome.kind === "failed") return [...order, errorCodeOf(outcome.error) ?? String(outcome.error)];
    if (outcome.kind === "finished") return order;
    if (outcome.kind === "yielded") {
      outcome = instance.step(undefined, FUEL);
      continue;
    }
    const { op, args } = outcome.call;
    if (op === "glia.sys.v1/exec") {
      const [, pointer = 0, length = 0] = args;
      const acts = JSON.parse(TEXT.decode(instance.read(pointer, length))) as readonly string[][];
      order.push(...acts.map(([kind]) => `${kind}`));
      outcome = instance.step({ value: DONE.length, payload: DONE }, FUEL);
    } else if (op !== "receive" && op !== "receive_within") outcome = instance.step({ value: 0 }, FUEL);
    else {
      const payload = mail.shift();
      if (payload === undefined) return order;
      outcome = instance.step({ value: payload.length, payload }, FUEL);
    }
  }
}

const begin = { host: "begin", self: SELF };
const ask = (message: string, correlation: number): unknown => ({
  glia: 1,
  kind: "ask",
  from: FROM,
  correlation,
  message,
  input: "topic",
});

test("SD3: an answer leaves after what its agent asked its node for before it, and at once when there was nothing", async () => {
  const order = await run([begin, ask("listen", 1), ask("plain", 2)]);
  expect(order).toEqual(["subscribe", "send", "answer listens", "answer plain"]);
});

test("SD3: an answer that nobody waits for so is a message, behind what was asked for before it", async () => {
  const order = await run([begin, ask("listen", 1)], [false, false]);
  expect(order).toEqual(["subscribe", "send", "nobody waits for listens", "nobody waits for later", "send"]);
});
