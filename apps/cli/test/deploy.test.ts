/** What is in `deploy/`, checked by what reads it where that is installed. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCli } from "./run-cli.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const unit = `${root}deploy/glia.service`;
const container = readFileSync(`${root}deploy/Containerfile`, "utf8");

/** Options of `glia up` in a text, without their values. */
const optionsIn = (text: string): readonly string[] => text.match(/--[a-z-]+/g) ?? [];

describe("the unit for systemd", () => {
  it("is one that systemd takes without a remark, with an exposure of at most 2", ({ skip }) => {
    const verified = spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8" });
    skip(
      verified.error !== undefined,
      "systemd is not installed: `systemd-analyze verify` did not read deploy/glia.service",
    );
    expect([verified.status, verified.stderr]).toEqual([0, ""]);
    const judged = spawnSync("systemd-analyze", ["security", "--offline=true", unit], { encoding: "utf8" });
    expect(Number(/exposure level for glia\.service: ([\d.]+)/.exec(judged.stdout)?.[1])).toBeLessThanOrEqual(
      2,
    );
  });

  it("starts glia with options that it has", async () => {
    const { stdout } = await runCli(["up", "--help"]);
    const start = /^ExecStart=(.*)$/m.exec(readFileSync(unit, "utf8"))?.[1] ?? "";
    expect(optionsIn(start)).toHaveLength(3);
    for (const option of [...optionsIn(start), "--config"]) expect(stdout).toContain(`${option} `);
  });
});

describe("the container file", () => {
  it("pins the package manager of this repository and copies what is there", () => {
    const catalog = readFileSync(`${root}pnpm-workspace.yaml`, "utf8");
    const pinned = new Set(container.match(/pnpm@[\d.]+/g));
    expect([...pinned]).toEqual([`pnpm@${/^ {2}pnpm: (.+)$/m.exec(catalog)?.[1]}`]);
    expect(container).toContain("/opt/glia/dist/main.js");
    expect(existsSync(`${root}apps/cli/src/main.ts`)).toBe(true);
  });
});
