/** Post-copy between two real processes, over a socket: guests go to and fro in the middle of what they do. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StepOutcome } from "@glia-os/abi/ports";
import { expect, it } from "vitest";
import type { WasiLaunch } from "../src/index.ts";
import type { End, GuestThread } from "./fixtures/postcopy-guest.ts";
import { PostCopyPeer, programOf } from "./fixtures/postcopy-peer.ts";
import { foreignGuest } from "./foreign-modules.ts";
import { rewritingModule } from "./rewriting.ts";

const child = fileURLToPath(new URL("./fixtures/postcopy-peer.ts", import.meta.url));
const seed = Number(process.env["GLIA_WASM_SEED"] ?? Date.now() % 2 ** 31);

type Journey = Omit<End, "arrivals"> & { readonly output: string; readonly arrivals?: number };

/** The end of the guest that goes to and fro between this process and another one. */
async function travel(guest: GuestThread): Promise<Journey> {
  const folder = mkdtempSync(join(tmpdir(), "glia-postcopy-"));
  const [path, orders] = [join(folder, "guest.wasm"), join(folder, "orders.json")];
  writeFileSync(path, guest.module);
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { module: _, ...rest } = guest;
  const { stdin: __, ...launch } = (rest.launch ?? {}) as { readonly stdin?: unknown };
  const told = rest.launch === undefined ? rest : { ...rest, launch };
  writeFileSync(orders, JSON.stringify({ ...told, path, seed: guest.seed + 1 }));
  const args = ["--conditions=@glia-os/source", "--disable-warning=ExperimentalWarning", child, orders];
  const other = spawn(process.execPath, [...args, String((server.address() as AddressInfo).port)], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const left = once(other, "exit");
  try {
    const [socket] = (await Promise.race([once(server, "connection"), left.then(() => [])])) as [Socket];
    const peer = new PostCopyPeer(await programOf(guest), socket, guest);
    peer.begin();
    const end = await peer.ended;
    await peer.close();
    socket.end();
    return { ...end, output: peer.output };
  } finally {
    server.close();
    other.kill();
    await left;
    rmSync(folder, { recursive: true });
  }
}

/** The same guest without a move. */
async function stay(guest: GuestThread): Promise<Journey> {
  let [output, reply] = ["", ""];
  const program = await programOf(guest);
  const host = {
    log: (): void => undefined,
    wallMs: (): number => 1_700_000_000_000,
    random: (target: Uint8Array): void => void target.fill(9),
    reply(payload: Uint8Array): number {
      reply = Buffer.from(payload).toString("hex");
      return 0;
    },
    output(_: 1 | 2, bytes: Uint8Array): void {
      output += Buffer.from(bytes).toString("latin1");
    },
  };
  const it = program.instantiate({}, host);
  const run = (): StepOutcome => it.step(it.pending === undefined ? undefined : { value: 0 }, 2 ** 40);
  let outcome = run();
  while (outcome.kind === "yielded" || outcome.kind === "pending") outcome = run();
  const status = outcome.kind === "finished" ? outcome.status : undefined;
  return { outcome: outcome.kind, status, fuel: it.fuelUsed, reply, output };
}

it("a guest goes to and fro by post-copy and hybrid moves, and ends with the same result and fuel", {
  timeout: 300_000,
}, async () => {
  console.log(`seed ${seed}`);
  for (const [working, turns] of [
    [65_536, 200],
    [1_000_000, 20],
  ] as const) {
    const guest = { module: await rewritingModule(64, working, turns), seed, mostSlice: 1 };
    const { fuel, ...expected } = await stay(guest);
    const end = await travel({ ...guest, mostSlice: Math.ceil(fuel / 100) });
    expect({ ...end, arrivals: undefined }).toEqual({ ...expected, fuel, arrivals: undefined });
    console.log(`${end.arrivals} arrivals`);
    expect(end.arrivals).toBeGreaterThan(1);
  }
});

it.each([
  ["C", "sort", { args: ["guest", "200"] }],
  ["Rust", "collect", { args: ["guest", "1"] }],
] as const)(
  "%s: %s says the same and uses the same fuel as when it stays, memory that grows and what WASI keeps included",
  { timeout: 300_000 },
  async (_, name, launch: WasiLaunch) => {
    console.log(`seed ${seed}`);
    const module = new Uint8Array(readFileSync(await foreignGuest(name, "preemptive")));
    const guest = { module, seed, mostSlice: 1, launch };
    const { fuel, ...expected } = await stay(guest);
    const end = await travel({ ...guest, mostSlice: Math.ceil(fuel / 60) });
    expect({ ...end, arrivals: undefined }).toEqual({ ...expected, fuel, arrivals: undefined });
    expect(end.arrivals).toBeGreaterThan(1);
  },
);
