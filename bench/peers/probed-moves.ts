/**
 * Two processes between which a guest moves, and a prober outside of them: it asks both 1000 times a second, and the one that holds the
 * guest answers after the guest's next slice. What a move costs the guest's callers is the largest gap between two answers.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Notice, Order } from "./glia/precopy-node.ts";
import { rewritingGuest, type Size } from "./glia/rewriting-guest.ts";

const NS_PER_MS = 1e6;
const PROBE_MS = 1;
/** Probed before and after a move, too. */
const MARGIN_MS = 10;
const ASK = Uint8Array.of(1);

/** What one move showed. */
export interface Probed {
  /** Largest gap between answers in a time that holds the move. */
  readonly gapMs: number;
  /** The same in as long a time without a move, right after. */
  readonly stillMs: number;
  /** From the end of the last slice at the source to the end of the first one at the destination. */
  readonly handoverMs: number;
}

/** The two processes and the prober. */
export class ProbedMoves {
  readonly #folder: string;
  readonly #server: Server;
  readonly #nodes: readonly [ChildProcess, ChildProcess];
  readonly #sockets: readonly Socket[];
  #at: 0 | 1 = 0;
  #lastNs = 0n;
  #gapNs = 0n;
  #asked = 0;

  private constructor(
    folder: string,
    server: Server,
    nodes: readonly [ChildProcess, ChildProcess],
    sockets: readonly Socket[],
  ) {
    this.#folder = folder;
    this.#server = server;
    this.#nodes = nodes;
    this.#sockets = sockets;
    for (const socket of sockets) socket.on("data", () => this.#answered());
  }

  static async of(size: Size): Promise<ProbedMoves> {
    const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
    const path = join(folder, "guest.wasm");
    writeFileSync(path, await rewritingGuest(size));
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const started: ChildProcess[] = [];
    const sockets: Socket[] = [];
    for (let left = 2; left > 0; left--) {
      const node = fork(join(import.meta.dirname, "glia/precopy-node.ts"), [path, String(port)]);
      const connected = once(server, "connection");
      await notice(node, "ready");
      sockets.push(((await connected) as [Socket])[0].setNoDelay(true));
      started.push(node);
    }
    const [a, b] = started as [ChildProcess, ChildProcess];
    const { port: peer } = await told(a, { do: "listen" }, "listen");
    const joined = notice(a, "connect");
    await told(b, { do: "connect", port: peer }, "connect");
    await joined;
    await told(a, { do: "begin" }, "begin");
    return new ProbedMoves(folder, server, [a, b], sockets);
  }

  /** Move the guest to the other process. */
  async move(): Promise<Probed> {
    const [from, to] = [this.#nodes[this.#at], this.#nodes[this.#at === 0 ? 1 : 0]];
    const startNs = process.hrtime.bigint();
    await this.#probe(MARGIN_MS);
    this.#gapNs = 0n;
    const [left, arrived] = [notice(from, "leave"), notice(to, "arrive")];
    from.send({ do: "move" } satisfies Order);
    let over = false;
    void arrived.then(() => {
      over = true;
    });
    while (!over) await this.#probe(MARGIN_MS);
    await this.#probe(MARGIN_MS);
    const gapNs = this.#gapNs;
    const tookMs = Number(process.hrtime.bigint() - startNs) / NS_PER_MS;
    this.#at = this.#at === 0 ? 1 : 0;
    this.#gapNs = 0n;
    await this.#probe(tookMs);
    const handoverNs = BigInt((await arrived).atNs) - BigInt((await left).atNs);
    return {
      gapMs: Number(gapNs) / NS_PER_MS,
      stillMs: Number(this.#gapNs) / NS_PER_MS,
      handoverMs: Number(handoverNs) / NS_PER_MS,
    };
  }

  close(): void {
    for (const node of this.#nodes) node.disconnect();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    rmSync(this.#folder, { recursive: true });
  }

  /** Ask both once a millisecond for as long. */
  async #probe(forMs: number): Promise<void> {
    const start = performance.now();
    for (let now = start; now - start < forMs; now = performance.now()) {
      if (now - this.#asked >= PROBE_MS) {
        this.#asked = now;
        for (const socket of this.#sockets) socket.write(ASK);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #answered(): void {
    const now = process.hrtime.bigint();
    if (this.#lastNs > 0n && now - this.#lastNs > this.#gapNs) this.#gapNs = now - this.#lastNs;
    this.#lastNs = now;
  }
}

async function notice<Did extends Notice["did"]>(
  node: ChildProcess,
  did: Did,
): Promise<Extract<Notice, { readonly did: Did }>> {
  for (;;) {
    const [said] = (await once(node, "message")) as [Notice];
    if (said.did === did) return said as Extract<Notice, { readonly did: Did }>;
  }
}

function told<Did extends Notice["did"]>(
  node: ChildProcess,
  order: Order,
  did: Did,
): Promise<Extract<Notice, { readonly did: Did }>> {
  const answer = notice(node, did);
  node.send(order);
  return answer;
}
