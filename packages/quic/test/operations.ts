/**
 * A long mixture of everything an endpoint can do, checked against a model, driven by a random source: what the tests run under fast-check and,
 * in a process of its own, under AddressSanitizer.
 *
 * OP1. The model knows, for every stream, which bytes its writer wrote and whether it finished or gave up; what a reader got must be a prefix of
 *      that, and all of it when the stream ended well.
 */
import { createHash } from "node:crypto";
import {
  createQuicEndpoint,
  type LoadOptions,
  type QuicConnection,
  type QuicEndpoint,
  type QuicIdentity,
  type QuicStream,
} from "../src/index.ts";

/** One step; the numbers choose among what is there. */
export interface Operation {
  readonly kind:
    | "connect"
    | "open"
    | "write"
    | "end"
    | "reset"
    | "pause"
    | "resume"
    | "close"
    | "swap"
    | "turn"
    | "abandon";
  readonly which: number;
  readonly size: number;
}

/** The kinds of steps, more often the more useful. */
export const KINDS: readonly Operation["kind"][] = [
  ...["connect", "open", "open", "open", "write", "write", "write", "write", "write", "end", "end"],
  ...["reset", "pause", "resume", "resume", "close", "swap", "turn", "turn", "abandon"],
] as Operation["kind"][];

interface Flow {
  readonly id: string;
  readonly stream: QuicStream;
  written: Uint8Array[];
  isFinished: boolean;
}

interface Received {
  readonly chunks: Uint8Array[];
  hasEnded: boolean;
  readonly stream: QuicStream;
}

const LIMITS = { connections: 6, flows: 40, bytes: 8 * 1024 * 1024 };

/** Runs the steps on two endpoints, closes them and checks the model. Throws when a byte is wrong or something stays open. */
export async function runOperations(
  operations: readonly Operation[],
  identities: readonly QuicIdentity[],
  load: LoadOptions = {},
): Promise<void> {
  const world = new World(identities, load);
  for (const operation of operations) await world.step(operation);
  await world.finish();
}

class World {
  readonly #identities: readonly QuicIdentity[];
  readonly #endpoints: QuicEndpoint[];
  readonly #connections: { dialled: QuicConnection; key: number }[] = [];
  readonly #flows: Flow[] = [];
  readonly #received = new Map<string, Received>();
  #next = 0;
  #bytes = 0;

  constructor(identities: readonly QuicIdentity[], load: LoadOptions) {
    this.#identities = identities;
    this.#endpoints = [0, 1].map(() =>
      createQuicEndpoint(
        {
          ...identities[0]!,
          alpn: ["ops"],
          approvePeer: () => true,
          onConnection: (connection) => this.#serve(connection),
          retry: false,
        },
        load,
      ),
    );
  }

  async step({ kind, which, size }: Operation): Promise<void> {
    const flow = this.#flows[which % Math.max(1, this.#flows.length)];
    const connection = this.#connections[which % Math.max(1, this.#connections.length)]?.dialled;
    if (kind === "connect") await this.#connect(which);
    else if (kind === "open") await this.#open(connection, size);
    else if (kind === "write") this.#write(flow, size);
    else if (kind === "end") this.#end(flow);
    else if (kind === "reset") flow?.stream.reset(size);
    else if (kind === "pause") this.#reader(which)?.stream.pause();
    else if (kind === "resume") this.#reader(which)?.stream.resume();
    else if (kind === "close" && which % 5 === 0) await connection?.close({ code: size });
    else if (kind === "swap")
      this.#endpoints[which % 2]!.setIdentity(this.#identities[size % this.#identities.length]!);
    else if (kind === "abandon" && which % 3 === 0) this.#reader(which)?.stream.destroy();
    else await new Promise((resolve) => setImmediate(resolve));
  }

  async finish(): Promise<void> {
    for (const flow of this.#flows) this.#end(flow);
    for (const { stream } of this.#received.values()) stream.resume();
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const wellEnded = this.#flows.filter(({ isFinished, stream }) => isFinished && !stream.destroyed);
    await Promise.all(wellEnded.map(({ stream }) => new Promise((resolve) => stream.once("close", resolve))));
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.close()));
    for (const flow of this.#flows) this.#check(flow);
    for (const endpoint of this.#endpoints) {
      const { connections, streams } = endpoint.stats();
      if (connections + streams !== 0) throw new RangeError("something stayed open after close");
    }
  }

  #reader(which: number): Received | undefined {
    const all = [...this.#received.values()];
    return all[which % Math.max(1, all.length)];
  }

  async #connect(which: number): Promise<void> {
    if (this.#connections.length >= LIMITS.connections) return;
    const [from, to] = [this.#endpoints[which % 2]!, this.#endpoints[(which + 1) % 2]!];
    const key = this.#next++;
    const dialled = await from.connect(to.address);
    const hello = await dialled.openStream({ unidirectional: true });
    hello.end(String(key));
    this.#connections.push({ dialled, key });
  }

  /** Streams name themselves in their first bytes, so that reader and writer are matched across connections. */
  #serve(connection: QuicConnection): void {
    connection.onStream((stream) => {
      if (stream.id === 6) {
        stream.resume();
        return;
      }
      const received: Received = { chunks: [], hasEnded: false, stream };
      stream.once("data", (chunk: Uint8Array) => {
        const [name = "", ...rest] = splitName(chunk);
        this.#received.set(name, received);
        received.chunks.push(...rest);
        stream.on("data", (more: Uint8Array) => received.chunks.push(more));
      });
      stream.once("end", () => {
        received.hasEnded = true;
        stream.end();
      });
    });
  }

  async #open(connection: QuicConnection | undefined, size: number): Promise<void> {
    if (connection === undefined || connection.isClosed || this.#flows.length >= LIMITS.flows) return;
    const stream = await connection.openStream({ unidirectional: size % 2 === 1 }).catch(() => undefined);
    if (stream === undefined) return;
    const id = `flow-${this.#next++}`;
    stream.write(`${id}\n`);
    stream.resume();
    this.#flows.push({ id, stream, written: [], isFinished: false });
  }

  #write(flow: Flow | undefined, size: number): void {
    if (flow === undefined || flow.stream.destroyed || flow.isFinished || this.#bytes + size > LIMITS.bytes)
      return;
    const bytes = createHash("shake256", { outputLength: Math.max(1, size) })
      .update(`${flow.id} ${flow.written.length}`)
      .digest();
    this.#bytes += bytes.length;
    flow.written.push(bytes);
    flow.stream.write(bytes);
  }

  #end(flow: Flow | undefined): void {
    if (flow === undefined || flow.stream.destroyed || flow.isFinished) return;
    flow.isFinished = true;
    flow.stream.end();
  }

  #check({ id, written, stream, isFinished }: Flow): void {
    const received = this.#received.get(id);
    if (received === undefined) return;
    const [sent, got] = [Buffer.concat(written), Buffer.concat(received.chunks)];
    if (!sent.subarray(0, got.length).equals(got)) throw new RangeError(`${id}: the bytes differ`);
    const endedWell = received.hasEnded && isFinished && stream.errored === null;
    if (endedWell && got.length !== sent.length)
      throw new RangeError(`${id}: ${got.length} of ${sent.length} bytes`);
    if (received.hasEnded && !isFinished) throw new RangeError(`${id}: ended although its writer did not`);
  }
}

function splitName(chunk: Uint8Array): [string, ...Uint8Array[]] {
  const at = chunk.indexOf(10);
  const rest = chunk.subarray(at + 1);
  const name = Buffer.from(chunk.subarray(0, at)).toString();
  return rest.length === 0 ? [name] : [name, rest];
}
