/** Pre-copy between two real processes, over a socket. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { createWasmEngine } from "../src/index.ts";
import { Peer } from "./fixtures/precopy-peer.ts";
import { RecordingHost } from "./guest.ts";
import { randomFrom } from "./random-module.ts";
import { rewritingModule } from "./rewriting.ts";

const child = fileURLToPath(new URL("./fixtures/precopy-peer.ts", import.meta.url));
const seed = Number(process.env["GLIA_WASM_SEED"] ?? Date.now() % 2 ** 31);

/** The end of the guest that goes to and fro between this process and another one. */
async function travel(module: Uint8Array, mostSlice: number): ReturnType<typeof ended> {
  const folder = mkdtempSync(join(tmpdir(), "glia-precopy-"));
  const path = join(folder, "guest.wasm");
  writeFileSync(path, module);
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const args = [
    "--conditions=@glia-os/source",
    "--disable-warning=ExperimentalWarning",
    child,
    path,
    String(port),
  ];
  const other = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
  try {
    return await ended(server, other, module, mostSlice);
  } finally {
    server.close();
    other.kill();
    rmSync(folder, { recursive: true });
  }
}

async function ended(
  server: ReturnType<typeof createServer>,
  other: ChildProcess,
  module: Uint8Array,
  mostSlice: number,
): Promise<Awaited<Peer["ended"]> & { readonly exit: unknown }> {
  const left = once(other, "exit");
  const [socket] = (await Promise.race([once(server, "connection"), left.then(() => [])])) as [Socket];
  const program = await createWasmEngine().admit(module, ["glia.v1"]);
  const below = randomFrom(seed);
  const peer = new Peer(program, socket, { slice: () => 1 + below(mostSlice), stay: () => 1 + below(5) });
  peer.begin();
  const end = await peer.ended;
  socket.end();
  return { ...end, exit: (await left)[0] };
}

it("a guest goes to and fro between two processes while it rewrites its memory, and ends with the same result and fuel", {
  timeout: 300_000,
}, async () => {
  console.log(`seed ${seed}`);
  for (const [working, turns] of [
    [65_536, 400],
    [1_000_000, 30],
  ] as const) {
    const module = await rewritingModule(64, working, turns);
    const program = await createWasmEngine().admit(module, ["glia.v1"]);
    const host = new RecordingHost();
    const whole = program.instantiate({}, host);
    let outcome = whole.step(undefined, 2 ** 40);
    while (outcome.kind === "yielded") outcome = whole.step(undefined, 2 ** 40);
    const end = await travel(module, Math.ceil(whole.fuelUsed / 300));
    expect(end).toEqual({
      outcome: "finished",
      status: outcome.kind === "finished" ? outcome.status : undefined,
      fuel: whole.fuelUsed,
      reply: Buffer.from(host.replies[0] ?? []).toString("hex"),
      arrivals: expect.any(Number) as number,
      exit: 0,
    });
    expect(end.arrivals).toBeGreaterThan(2);
  }
});
