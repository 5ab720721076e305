import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const PROGRAM = fileURLToPath(new URL("../partition.ts", import.meta.url));
const CANNOT = 3;
const WRONG = 2;
const soak = process.env["GLIA_SOAK"] === "1";

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(...args: readonly string[]): Promise<Ran> {
  const all = ["--conditions=@glia-os/source", PROGRAM, ...args];
  return new Promise((resolve) =>
    execFile(process.execPath, all, { timeout: 300_000 }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, out, err });
    }),
  );
}

describe("a mesh of processes in two network namespaces (needs Linux, iproute2 and nftables)", () => {
  it("cut until each half has declared the other dead, it heals by itself", async ({ skip }) => {
    const { code, out, err } = await run("--size", "6", "--profile", "fast", "--seconds", "1", "--dead");
    skip(code === CANNOT, err.trim());
    expect(err).toBe("");
    expect(JSON.parse(out)).toMatchObject({ declaredDead: true, healed: true });
    expect(code).toBe(0);
  });

  it.runIf(soak)(
    "cut for 60 s with the LAN profile, it heals by itself (needs the long tier)",
    async ({ skip }) => {
      const { code, out, err } = await run("--size", "8", "--profile", "lan", "--seconds", "60");
      skip(code === CANNOT, err.trim());
      expect(JSON.parse(out)).toMatchObject({ declaredDead: true, healed: true });
      expect(code).toBe(0);
    },
  );

  it("a wrong command line is refused and says what is right", async () => {
    const { code, err } = await run("--size", "a few");
    expect(code).toBe(WRONG);
    expect(err).toContain("--size a few is not a whole number from 2 to 64");
    expect((await run("--profile", "faster")).err).toContain("lan, wan, local, fast, relaxed");
    expect((await run("--sizes", "3")).code).toBe(WRONG);
  });
});
