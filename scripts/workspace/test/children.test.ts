import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runChild } from "../children.ts";

test("output and exit code are collected", async () => {
  const finished = await runChild(process.execPath, [
    "-e",
    "console.log(1); console.error(2); process.exit(3)",
  ]);
  expect(finished).toEqual({ code: 3, stdout: "1\n", stderr: "2\n", timedOut: false });
});

test("a command that does not exist is a failure that says so", async () => {
  const { code, stderr } = await runChild("no-such-command-here", []);
  expect([code, stderr]).toEqual([
    null,
    expect.stringContaining("no-such-command-here could not be started"),
  ]);
});

test("a child past its limit is killed and said to be timed out", async () => {
  const finished = await runChild(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { limitMs: 50 });
  expect([finished.code, finished.timedOut]).toEqual([null, true]);
});

test("a script told to stop takes its child with it and exits with the signal's number", async () => {
  const children = join(import.meta.dirname, "../children.ts");
  const program =
    `import { runChild } from ${JSON.stringify(children)};\n` +
    `await runChild(process.execPath, ["-e", "console.log(process.pid); setInterval(() => {}, 1000)"], { show: true });`;
  const script = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [first] = (await once(script.stdout, "data")) as [Buffer];
  script.kill("SIGTERM");
  const [code] = (await once(script, "exit")) as [number | null];
  expect(code).toBe(143);
  expect(() => process.kill(Number(first.toString()), 0)).toThrow("ESRCH");
});
