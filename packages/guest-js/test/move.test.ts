/** Agents that move between real processes, at random moments, mostly in the middle of a statement. */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { admitted, agentModule } from "./agent-modules.ts";
import { Driven } from "./drive.ts";
import { type HostEvent, randomFrom } from "./process-host.ts";

const folder = mkdtempSync(join(tmpdir(), "glia-move-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const root = join(import.meta.dirname, "..", "..", "..");
const node24 = join(root, "conformance", "runtimes", "node24", "node_modules", ".bin", "node");
const runtimes = [process.execPath, existsSync(node24) ? node24 : process.execPath, process.execPath];

/** One of the processes an agent lives in. */
class Host {
  readonly #child: ChildProcess;
  readonly #waiting: ((event: HostEvent) => void)[] = [];
  onReply: (message: number, reply: string) => void = () => undefined;

  constructor(runtime: string, module: string) {
    this.#child = fork(join(import.meta.dirname, "process-host.ts"), [module], {
      execPath: runtime,
      execArgv: ["--conditions=@glia-os/source", "--no-warnings"],
    });
    this.#child.on("message", (event: HostEvent) => {
      if (event.kind === "reply") this.onReply(event.message, event.reply);
      else this.#waiting.shift()?.(event);
    });
  }

  tell(order: Readonly<Record<string, unknown>>): void {
    this.#child.send(order);
  }

  ask(order: Readonly<Record<string, unknown>>): Promise<HostEvent> {
    const { promise, resolve } = Promise.withResolvers<HostEvent>();
    this.#waiting.push(resolve);
    this.tell(order);
    return promise;
  }

  end(): void {
    this.#child.kill();
  }
}

interface Journey {
  readonly replies: readonly [number, string][];
  readonly midStatement: number;
  readonly bytes: number;
}

/** Feed `messages` to an agent that moves `hops` times over three processes. */
async function travel(
  modulePath: string,
  messages: readonly string[],
  hops: number,
  seed: number,
): Promise<Journey> {
  const random = randomFrom(seed);
  const hosts = runtimes.map((runtime) => new Host(runtime, modulePath));
  const replies: [number, string][] = [];
  const all = Promise.withResolvers<void>();
  for (const host of hosts)
    host.onReply = (message, reply) => {
      replies.push([message, reply]);
      if (replies.length === messages.length) all.resolve();
    };
  try {
    let at = 0;
    let sent = 0;
    let midStatement = 0;
    let bytes = 0;
    await hosts[at]?.ask({ kind: "start" });
    for (let hop = 0; hop < hops; hop++) {
      const until = Math.floor((messages.length * (hop + 1)) / (hops + 1));
      // Messages are on their way to the agent, and most of them not handled, when it is told to stop.
      while (sent < until) hosts[at]?.tell({ kind: "send", text: messages[sent++] });
      const frozen = await hosts[at]?.ask({ kind: "freeze", afterSlices: Math.floor(random() * 40) });
      if (frozen?.kind !== "frozen")
        throw new TypeError(`the agent could not be frozen: ${JSON.stringify(frozen)}`);
      midStatement += frozen.op === "yield" ? 1 : 0;
      bytes += frozen.bytes.length * 0.75;
      at = (at + 1 + Math.floor(random() * (hosts.length - 1))) % hosts.length;
      await hosts[at]?.ask({ kind: "resume", bytes: frozen.bytes });
    }
    while (sent < messages.length) hosts[at]?.tell({ kind: "send", text: messages[sent++] });
    await all.promise;
    return { replies, midStatement, bytes: bytes / hops };
  } finally {
    for (const host of hosts) host.end();
  }
}

async function stayed(name: string, messages: readonly string[]): Promise<[number, string][]> {
  const agent = new Driven(await admitted(await agentModule(name)), { mailboxMessages: 65_536 });
  for (const message of messages) agent.run.send(Buffer.from(message));
  while (agent.replies.length < messages.length) {
    agent.run.run();
    agent.nowMs += 1;
  }
  return agent.replies;
}

async function compare(
  name: string,
  messages: readonly string[],
  hops: number,
  seed: number,
): Promise<Journey> {
  const path = join(folder, `${name}.wasm`);
  writeFileSync(path, (await agentModule(name)).bytes);
  const journey = await travel(path, messages, hops, seed);
  console.log(
    `${name}: seed ${seed}, ${hops} moves, ${journey.midStatement} of them in the middle of a statement, ` +
      `${messages.length} messages, ${Math.round(journey.bytes / 1024)} KiB for each move`,
  );
  expect(journey.replies.map(([message]) => message)).toEqual(messages.map((_, index) => index + 1));
  expect(journey.replies).toEqual(await stayed(name, messages));
  return journey;
}

const soak = process.env["GLIA_SOAK"] === "1";

it("an agent moves dozens of times while thousands of messages flow: none is lost, doubled or out of order", async () => {
  const seed = Date.now() % 2 ** 31;
  const random = randomFrom(seed);
  const messages = Array.from({ length: soak ? 20_000 : 2000 }, (_, i) =>
    JSON.stringify({
      key: `k${Math.floor(random() * 50)}`,
      amount: random() < 0.02 ? null : Math.floor(random() * 1000),
      text: `w${i} abc-${i}`,
    }).replace("null", '"x"'),
  );
  const journey = await compare("ledger", [...messages, "end"], soak ? 200 : 36, seed);
  expect(journey.midStatement).toBeGreaterThan(0);
  expect(journey.replies.at(-1)?.[1]).toContain('"ticked":true');
});

it("a linear script that waits inside sort and replace callbacks moves in the middle of them", async () => {
  const seed = (Date.now() + 1) % 2 ** 31;
  const random = randomFrom(seed);
  const messages = Array.from({ length: 400 }, () => String(Math.floor(random() * 1000)));
  const whole = await drivenUntilEnd("linear", messages);
  const path = join(folder, "linear.wasm");
  writeFileSync(path, (await agentModule("linear")).bytes);
  const journey = await travel(path, messages.slice(0, whole.length), 20, seed);
  console.log(`linear: seed ${seed}, 20 moves, ${whole.length} messages`);
  expect(journey.replies).toEqual(whole);
});

/** Replies of a script that ends by itself. */
async function drivenUntilEnd(name: string, messages: readonly string[]): Promise<[number, string][]> {
  const agent = new Driven(await admitted(await agentModule(name)));
  agent.run.run();
  for (const message of messages) if (agent.run.state.kind === "waiting") agent.ask(message);
  expect(agent.run.state).toEqual({ kind: "ended", status: 0 });
  return agent.replies;
}
