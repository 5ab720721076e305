import { execFile, spawnSync } from "node:child_process";
import { afterAll, describe, expect, it } from "vitest";

const namespace = `glia-node-mdns-${process.pid}`;

/** Whether a network namespace can be made. */
function canRun(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  if (spawnSync("sh", ["-c", "command -v ip"]).status !== 0) return false;
  return spawnSync("ip", ["netns", "add", namespace]).status === 0;
}

const runs = canRun();
if (!runs)
  process.stderr.write("skipped: nodes on one link need root and iproute2 for a network namespace\n");

describe.skipIf(!runs)("nodes on one link in a network namespace (needs root and iproute2)", () => {
  afterAll(() => {
    spawnSync("ip", ["netns", "delete", namespace]);
  });

  it("a node whose contacts have all moved comes back by multicast DNS, and not without", async () => {
    const program = new URL("./programs/mdns-scenario.ts", import.meta.url).pathname;
    const node = [process.execPath, "--conditions=@glia-os/source", program];
    const out = await new Promise<string>((resolve) =>
      execFile("ip", ["netns", "exec", namespace, ...node], { timeout: 120_000 }, (_, stdout, stderr) =>
        resolve(stdout || stderr),
      ),
    );
    expect(JSON.parse(out)).toEqual({
      without: expect.stringMatching(/^mesh\.(introducer-unreachable|join-timeout)$/),
      pinged: "hub",
      mdns: true,
      moved: true,
    });
  }, 150_000);
});
