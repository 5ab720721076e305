/** Processes and threads: they end by themselves, survive the death of peers, and keep their memory in order. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { buildNative } from "../scripts/build-native.ts";
import { noAddon } from "./addon.ts";
import { endpoint, failure, readAll } from "./peers.ts";

const program = fileURLToPath(new URL("./programs/peer.ts", import.meta.url));
const soak = process.env["GLIA_SOAK"] === "1";

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, ["--conditions=@glia-os/source", "--no-warnings", program, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const text = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => (text.stdout += chunk));
  child.stderr?.on("data", (chunk) => (text.stderr += chunk));
  const ended = new Promise<Ended>((resolve) =>
    child.once("close", (code, signal) => resolve({ code, signal, ...text })),
  );
  return { child, ended };
}

/** A sanitized process is several times slower than others, which on a slow machine is more than the usual limit. */
const SANITIZED_MS = 240_000;

/** What starts a process under AddressSanitizer, where the compiler has one and the machine gives it the address space it asks for. */
function sanitizerEnvironment(): NodeJS.ProcessEnv | undefined {
  const { stdout } = spawnSync("cc", ["-print-file-name=libasan.so"], { encoding: "utf8" });
  const runtime = stdout?.trim() ?? "";
  if (!existsSync(runtime)) return undefined;
  // Leaks are not looked for: Node itself leaves memory behind at its end.
  const env = { LD_PRELOAD: runtime, ASAN_OPTIONS: "detect_leaks=0:abort_on_error=0:exitcode=99" };
  const { status } = spawnSync(process.execPath, ["-e", "0"], { env: { ...process.env, ...env } });
  return status === 0 ? env : undefined;
}

let sanitizedFolder: string | undefined;
afterAll(() => {
  if (sanitizedFolder !== undefined) rmSync(sanitizedFolder, { recursive: true, force: true });
});

/** The addon under AddressSanitizer, built once. */
function sanitized(): string {
  if (sanitizedFolder !== undefined) return sanitizedFolder;
  sanitizedFolder = mkdtempSync(join(tmpdir(), "quic-asan-"));
  expect(buildNative({ into: sanitizedFolder, sanitize: true }).kind).toBe("built");
  return sanitizedFolder;
}

describe.skipIf(noAddon !== undefined)(
  `processes, needs a compiler and Node's headers${noAddon ?? ""}`,
  () => {
    test.each(["close", "unref", "exit"])("a process with traffic ends by itself: %s", async (mode) => {
      const { code, signal, stderr } = await start([mode]).ended;
      expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
    });

    test("a thread that is terminated in full traffic takes its endpoints along, and the process lives on", async () => {
      const { code, stdout, stderr } = await start(["terminate"]).ended;
      expect({ code, stdout: stdout.trim(), stderr }).toEqual({ code: 0, stdout: "terminated", stderr: "" });
    });

    test("a peer that is killed is noticed by the idle time", async () => {
      const { child } = start(["serve"]);
      const line = await new Promise<string>((resolve) =>
        child.stdout?.once("data", (chunk) => resolve(String(chunk))),
      );
      const client = endpoint({ idleMs: 1500 });
      const connection = await client.connect({ host: "127.0.0.1", port: Number(line.split(" ")[1]) });
      const stream = await connection.openStream();
      stream.write("x");
      child.kill("SIGKILL");
      expect(await connection.closed).toMatchObject({ kind: "idle" });
      expect(await failure(readAll(stream))).toMatchObject({ code: "quic.connection-closed" });
    });

    test.for([
      ["random operations", ["operations", soak ? "100" : "2"]],
      ["the death of threads", ["terminate"]],
      ["the end of endpoints", ["close"]],
    ] as const)(
      "under AddressSanitizer, %s touch no memory that is not theirs",
      { timeout: SANITIZED_MS },
      async ([, [mode, ...more]], { skip }) => {
        const env = sanitizerEnvironment();
        skip(env === undefined, "needs a C compiler with AddressSanitizer, and a machine that it runs on");
        const folder = sanitized();
        const { code, stdout, stderr } = await start([mode, folder, ...more], env).ended;
        expect(stderr).not.toContain("AddressSanitizer");
        expect({ mode, code, isDone: stdout.trim() !== "" }).toEqual({ mode, code: 0, isDone: true });
      },
    );
  },
);
