/**
 * A node end to end: asks, streams and moves between two nodes of one process, over the real wire and the real store.
 *
 * No targets: the targets for moves belong to pre-copy and post-copy, which are later work. These rows are here so that they can get worse
 * only in sight.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNode, type LocalNode } from "@glia-os/daemon";
import { CHUNK_BYTES, encodeChunk, encodeReportRequest } from "@glia-os/guest-as/word-count";
import type { Contestant, Suite } from "../src/suite.ts";

const require = createRequire(import.meta.url);
const TIMEOUT_MS = 60_000;
const MEBIBYTE = 1024 * 1024;

function guest(name: string): Uint8Array {
  return new Uint8Array(readFileSync(require.resolve(`@glia-os/guest-as/guests/${name}.wasm`)));
}

/** Two nodes, `a` being the anchor, and one agent on `b`. */
class Pair {
  readonly a: LocalNode;
  readonly b: LocalNode;
  readonly #folder: string;

  private constructor(a: LocalNode, b: LocalNode, folder: string) {
    this.a = a;
    this.b = b;
    this.#folder = folder;
  }

  static async with(name: string): Promise<Pair> {
    const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
    const bind = { host: "127.0.0.1", port: 0 };
    const start = { kind: "new-cluster" } as const;
    const a = await createNode({ dataDir: join(folder, "a"), role: "core", name: "a", bind, start });
    const line = await a.createJoinLine({ ttlMs: TIMEOUT_MS, uses: 1 });
    const b = await createNode({
      dataDir: join(folder, "b"),
      role: "edge",
      name: "b",
      bind,
      start: { kind: "join", line },
    });
    await b.spawn({ name, module: guest(name) });
    return new Pair(a, b, folder);
  }

  async close(): Promise<void> {
    await this.b.stop();
    await this.a.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

async function asking(): Promise<Contestant> {
  const pair = await Pair.with("echo");
  const payload = new Uint8Array(64);
  return {
    async run(times) {
      for (let i = 0; i < times; i++) await pair.a.ask("echo", payload, TIMEOUT_MS);
    },
    close: () => pair.close(),
  };
}

/** Pieces of text with `distinct` different words. */
function pieces(distinct: number): Uint8Array[] {
  const list: Uint8Array[] = [];
  let text = "";
  for (let i = 0; i < distinct; i++) {
    text += `word${i.toString(36)} `;
    if (text.length > CHUNK_BYTES - 16 || i === distinct - 1) {
      list.push(new TextEncoder().encode(text));
      text = "";
    }
  }
  return list;
}

async function streaming(): Promise<Contestant> {
  const pair = await Pair.with("word-count");
  const [piece] = pieces(6000) as [Uint8Array];
  const pieceCount = Math.ceil((32 * MEBIBYTE) / piece.length);
  let sequence = 0;
  return {
    async value() {
      const startMs = performance.now();
      for (let i = 0; i < pieceCount; i++) {
        const chunk = {
          sequence: ++sequence,
          fileIndex: 0,
          first: sequence === 1,
          last: false,
          bytes: piece,
        };
        await pair.a.send("word-count", encodeChunk(chunk));
      }
      await pair.a.ask("word-count", encodeReportRequest(), TIMEOUT_MS);
      return (pieceCount * piece.length) / MEBIBYTE / ((performance.now() - startMs) / 1000);
    },
    close: () => pair.close(),
  };
}

async function moving(distinct: number): Promise<Contestant> {
  const pair = await Pair.with("word-count");
  let sequence = 0;
  for (const bytes of pieces(distinct)) {
    const chunk = { sequence: ++sequence, fileIndex: 0, first: sequence === 1, last: false, bytes };
    await pair.a.send("word-count", encodeChunk(chunk));
  }
  await pair.a.ask("word-count", encodeReportRequest(), TIMEOUT_MS);
  let moves = 0;
  return {
    value: async () => (await pair.a.migrate("word-count", moves++ % 2 === 0 ? "a" : "b")).downtimeMs,
    close: () => pair.close(),
  };
}

const ONE_PROCESS =
  "two nodes share one process and its cores; a network adds its round trips and the time its bandwidth takes";

function moveRow(id: string, distinct: number): Suite["rows"][number] {
  return {
    id,
    what: `downtime of a move of the word-count agent with ${distinct.toLocaleString("en")} distinct words, stop-and-copy, from freeze to live`,
    unit: "ms",
    better: "lower",
    excludes: ONE_PROCESS,
    glia: () => moving(distinct),
    peers: {},
  };
}

export const suite: Suite = {
  title: "a node end to end",
  rows: [
    {
      id: "ask-echo",
      what: "one ask of 64 bytes to an agent on another node and its reply, awaited",
      unit: "us",
      better: "lower",
      excludes: ONE_PROCESS,
      glia: asking,
      peers: {},
    },
    {
      id: "stream-words",
      what: "MiB per second of text in messages of 64 KiB, sent with back-pressure to an agent on another node and counted there",
      unit: "MiB/s",
      better: "higher",
      excludes: ONE_PROCESS,
      glia: streaming,
      peers: {},
    },
    moveRow("move-100", 100),
    moveRow("move-100k", 100_000),
  ],
};
