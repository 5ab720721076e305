import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);

async function inOwnProcess(fixture: string): Promise<string> {
  const file = fileURLToPath(new URL(`./fixtures/${fixture}`, import.meta.url));
  const { stdout } = await run(process.execPath, ["--conditions=@glia-os/source", file], { timeout: 50_000 });
  return stdout;
}

test("importing and running a kernel opens no port, leaves no handle behind and starts no thread", async () => {
  const report = JSON.parse(await inOwnProcess("embedded.ts")) as Record<string, unknown>;
  expect(report).toMatchObject({ exit: { kind: "ok", value: 42 }, live: 0 });
  expect(report["before"]).toMatchObject({ held: [] });
  expect(report["after"]).toEqual(report["before"]);
});

test("R2: a process whose tasks all wait for ever ends by itself", async () => {
  expect(await inOwnProcess("parked.ts")).toBe("parked\n");
});
