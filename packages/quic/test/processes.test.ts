/** Processes and threads: they end by themselves, survive the death of peers, and keep their memory in order. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
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

/** AddressSanitizer's runtime, where the compiler has one. */
function sanitizerRuntime(): string | undefined {
  const { stdout } = spawnSync("cc", ["-print-file-name=libasan.so"], { encoding: "utf8" });
  const path = stdout?.trim() ?? "";
  return existsSync(path) ? path : undefined;
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
      const client = endpoint({ idleMs: 400 });
      const connection = await client.connect({ host: "127.0.0.1", port: Number(line.split(" ")[1]) });
      const stream = await connection.openStream();
      stream.write("x");
      child.kill("SIGKILL");
      expect(await connection.closed).toMatchObject({ kind: "idle" });
      expect(await failure(readAll(stream))).toMatchObject({ code: "quic.connection-closed" });
    });

    test("under AddressSanitizer, random operations and the death of threads touch no memory that is not theirs", async (context) => {
      const runtime = sanitizerRuntime();
      context.skip(runtime === undefined, "needs a C compiler with AddressSanitizer");
      const folder = mkdtempSync(join(tmpdir(), "quic-asan-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      expect(buildNative({ into: folder, sanitize: true }).kind).toBe("built");
      // Leaks are not looked for: Node itself leaves memory behind at its end.
      const env = { LD_PRELOAD: runtime, ASAN_OPTIONS: "detect_leaks=0:abort_on_error=0:exitcode=99" };
      const modes = [
        ["operations", folder, soak ? "100" : "4"],
        ["terminate", folder],
        ["close", folder],
      ];
      for (const args of modes) {
        const { code, stdout, stderr } = await start(args, env).ended;
        expect(stderr).not.toContain("AddressSanitizer");
        expect({ args, code, isDone: stdout.trim() !== "" }).toEqual({ args, code: 0, isDone: true });
      }
    });
  },
);
