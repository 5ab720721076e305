/**
 * An agent that applies numbers in order, and the account that its askers keep: a chain of hashes over every number, what was random and what time it was
 * when it was applied. A number that was lost or applied twice, or state that is not what earlier replies came from, breaks the chain.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileAssemblyScript } from "@glia-os/guest-as/build";
import { instrument } from "@glia-os/wasm/pipeline";

const SOURCE = `import { now, random, receive, reply } from "@glia-os/guest-as/assembly";
function mix(a: u64, b: u64): u64 {
  const product = (a ^ b) * 0x9e3779b97f4a7c15;
  return product ^ (product >> 29);
}
export function glia_main(): i32 {
  let count: u64 = 0;
  let chain: u64 = 1;
  while (true) {
    const asked = receive();
    const n = load<u64>(asked.dataStart);
    const nonce = load<u64>(random(8).dataStart);
    const time = <u64>now();
    count++;
    chain = mix(mix(mix(chain, n), nonce), time);
    const said = new Uint8Array(40);
    store<u64>(said.dataStart, n);
    store<u64>(said.dataStart + 8, count);
    store<u64>(said.dataStart + 16, nonce);
    store<u64>(said.dataStart + 24, time);
    store<u64>(said.dataStart + 32, chain);
    reply(said);
  }
}`;

const MASK = (1n << 64n) - 1n;

function mix(a: bigint, b: bigint): bigint {
  const product = ((a ^ b) * 0x9e3779b97f4a7c15n) & MASK;
  return product ^ (product >> 29n);
}

/** The module of the agent. */
export async function ledgerModule(): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "glia-ledger-"));
  try {
    writeFileSync(join(folder, "agent.ts"), SOURCE);
    return (await instrument(await compileAssemblyScript(join(folder, "agent.ts")))).bytes;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What an asker knows of the agent. */
export class Ledger {
  #count = 0n;
  #chain = 1n;
  #asked = 0n;
  /** What does not fit, in words. */
  readonly wrong: string[] = [];

  /** Numbers that were answered. */
  get answered(): number {
    return Number(this.#count);
  }

  /** The next number, as the message to send. */
  next(): Uint8Array {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, ++this.#asked, true);
    return bytes;
  }

  /** A reply; replies are given in the order of their numbers. */
  reply(said: Uint8Array): void {
    const view = new DataView(said.buffer, said.byteOffset, said.length);
    const [n, count, nonce, time, chain] = [0, 8, 16, 24, 32].map((at) => view.getBigUint64(at, true)) as [
      bigint,
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    this.#count++;
    if (n !== this.#count || count !== this.#count)
      this.wrong.push(`reply ${this.#count} is of number ${n}, the ${count}th that was applied`);
    this.#chain = mix(mix(mix(this.#chain, n), nonce), time);
    if (chain !== this.#chain) this.wrong.push(`reply ${this.#count} comes from another history`);
  }
}
