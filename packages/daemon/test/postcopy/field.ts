/**
 * An agent with memory that can be seen to be its own: a field of numbers, of which each message changes some and is answered with what it found. Whoever
 * asks keeps the same field; a page that is not the agent's, a message lost or applied twice makes answers differ.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { instrument } from "@glia-os/wasm/pipeline";

/** Numbers of eight bytes in the field. */
export const FIELD = 1 << 19;
const STRIDE = 65_537;
const TOUCHED = 16;

const SOURCE = `import { receive, reply } from "@glia-os/guest-as/assembly";
export function glia_main(): i32 {
  const field = new StaticArray<u64>(${FIELD});
  for (let i = 0; i < ${FIELD}; i++) unchecked((field[i] = <u64>i * 0x9e3779b97f4a7c15));
  let count: u64 = 0;
  while (true) {
    const asked = receive();
    const n = load<u64>(asked.dataStart);
    count++;
    let sum: u64 = count;
    for (let k: u64 = 0; k < ${TOUCHED}; k++) {
      const at = <i32>((n + k) * ${STRIDE} % ${FIELD});
      sum = sum * 31 + unchecked(field[at]);
      unchecked((field[at] = sum));
    }
    const said = new Uint8Array(16);
    store<u64>(said.dataStart, count);
    store<u64>(said.dataStart + 8, sum);
    reply(said);
  }
}`;

const MASK = (1n << 64n) - 1n;

/** The module of the agent: 4 MiB of field. */
export async function fieldModule(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "glia-field-"));
  try {
    writeFileSync(join(folder, "agent.ts"), SOURCE);
    return (await instrument(await compileAssemblyScript(join(folder, "agent.ts")))).bytes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What an asker knows of the agent. */
export class Field {
  readonly #changed = new Map<number, bigint>();
  #count = 0n;
  #asked = 0n;
  /** What does not fit, in words. */
  readonly wrong: string[] = [];

  /** Answers so far. */
  get answered(): number {
    return Number(this.#count);
  }

  /** The next message. */
  next(): Uint8Array {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, ++this.#asked, true);
    return bytes;
  }

  /** An answer; answers are given in the order of their messages. */
  reply(said: Uint8Array): void {
    const view = new DataView(said.buffer, said.byteOffset, said.length);
    const n = ++this.#count;
    let sum = n;
    for (let k = 0n; k < BigInt(TOUCHED); k++) {
      const at = Number(((n + k) * BigInt(STRIDE)) % BigInt(FIELD));
      const found = this.#changed.get(at) ?? (BigInt(at) * 0x9e3779b97f4a7c15n) & MASK;
      sum = (sum * 31n + found) & MASK;
      this.#changed.set(at, sum);
    }
    if (view.getBigUint64(0, true) !== n)
      this.wrong.push(`answer ${n} is the ${view.getBigUint64(0, true)}th`);
    if (view.getBigUint64(8, true) !== sum) this.wrong.push(`answer ${n} comes from another memory`);
  }
}
