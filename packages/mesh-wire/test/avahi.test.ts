import { execFile, spawnSync } from "node:child_process";
import { afterAll, describe, expect, it } from "vitest";

const PROGRAMS = ["dbus-daemon", "avahi-daemon", "avahi-browse", "avahi-publish", "ip"];
const namespace = `glia-mdns-${process.pid}`;

/** Whether a network namespace can be made and has the programs. */
function canRun(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const there = PROGRAMS.every((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0);
  return there && spawnSync("ip", ["netns", "add", namespace]).status === 0;
}

const runs = canRun();

describe.skipIf(!runs)("beside avahi in a network namespace (needs root, iproute2, dbus and avahi)", () => {
  afterAll(() => {
    spawnSync("ip", ["netns", "delete", namespace]);
  });

  it("avahi-browse resolves a node; the node finds what avahi-publish says, and two nodes find each other; each sees addresses change and the others go", async () => {
    const program = new URL("./programs/avahi-scenario.ts", import.meta.url).pathname;
    const node = [process.execPath, "--conditions=@glia-os/source", program];
    const out = await new Promise<string>((resolve) =>
      execFile("ip", ["netns", "exec", namespace, ...node], { timeout: 45_000 }, (_, stdout, stderr) =>
        resolve(stdout || stderr),
      ),
    );
    const { browsed, found, moved, exit } = JSON.parse(out) as Record<string, unknown>;
    const label = "ab".repeat(16);
    expect(browsed).toContain(`=;d0;IPv4;${label};_glia._tcp;local;glia-${label}.local;10.99.7.1;7171;`);
    expect(browsed).toContain(`"node=${"ab".repeat(32)}"`);
    expect(browsed).toContain(`"cluster=${"c1".repeat(32)}"`);
    expect(found).toEqual({
      node: "cd".repeat(32),
      cluster: "c1".repeat(32),
      addresses: [{ host: "10.99.7.1", port: 7272 }],
    });
    expect(moved).toMatchObject({ addresses: [{ host: "10.99.7.1" }, { host: "10.99.7.2" }] });
    expect(exit).toBe(0);
  });
});
