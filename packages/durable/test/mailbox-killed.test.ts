/** Real processes that send one another messages and are killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SeededRandom } from "@glia-os/kernel/testing";
import { afterEach, beforeEach, expect, it } from "vitest";

const SOAK = process.env["GLIA_SOAK"] === "1";
const SENDERS = SOAK ? 50 : 8;
const MESSAGES = SOAK ? 100 : 12;
const KILLS = SOAK ? 100 : 4;
const SEED = process.env["GLIA_SEED"] ?? "mail";
const childFile = fileURLToPath(new URL("./fixtures/mail-child.ts", import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "glia-mail-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

interface Child {
  readonly process: ChildProcess;
  printed: string;
  readonly ended: Promise<unknown>;
}

function start(role: string): Child {
  const args = ["--conditions=@glia-os/source", childFile, folder, role, String(SENDERS), String(MESSAGES)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const started: Child = { process: child, printed: "", ended: once(child, "exit") };
  child.stdout.on("data", (bytes: Buffer) => {
    started.printed += bytes.toString();
  });
  return started;
}

it(`after ${KILLS} times kill -9 of the sender, the receiver or both, each of ${SENDERS * MESSAGES} messages was handled once and in order, and each poison is set aside once`, async () => {
  const random = new SeededRandom(SEED);
  const below = (n: number): number => (random.bytes(new Uint8Array(1))[0] as number) % n;
  let [sender, receiver] = [start("sender"), start("receiver")];
  for (let kill = 0; kill < KILLS; kill++) {
    // Where they are then is chance; what holds does not depend on it.
    await new Promise<void>((resolve) => setTimeout(resolve, 250 + below(250)));
    const who = below(3);
    if (who !== 0) sender.process.kill("SIGKILL");
    if (who !== 1) receiver.process.kill("SIGKILL");
    if (who !== 0) await sender.ended;
    if (who !== 1) await receiver.ended;
    if (who !== 0) sender = start("sender");
    if (who !== 1) receiver = start("receiver");
  }
  await sender.ended;
  expect(JSON.parse(sender.printed)).toEqual(Array.from({ length: SENDERS }, () => null));
  receiver.process.kill("SIGTERM");
  await receiver.ended;
  const { kept, aside } = JSON.parse(receiver.printed.split("\n").at(-2) ?? "") as {
    kept: readonly string[];
    aside: readonly { message: { from: string }; attempts: number }[];
  };
  for (let i = 0; i < SENDERS; i++) {
    const own = kept.filter((line) => line.startsWith(`sender/${i} `));
    expect(own).toEqual(Array.from({ length: MESSAGES }, (_, m) => `sender/${i} ${i} ${m}`));
    expect(
      aside.filter(({ message }) => message.from === `sender/${i}`).map(({ attempts }) => attempts),
    ).toEqual([2]);
  }
  expect([kept.length, aside.length]).toEqual([SENDERS * MESSAGES, SENDERS]);
  console.log(`mail: ${KILLS} kills, seed ${SEED}`);
}, 600_000);
