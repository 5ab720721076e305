import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLimits, readMemoryHeadroom } from "../src/cgroup-limits.ts";
import {
  cgroupFolders,
  parseCgroupMembership,
  parseCgroupMemory,
  parseCgroupMounts,
  parseCpuMax,
  parseCpuQuota,
  parseMemoryStat,
} from "../src/parse/cgroup.ts";
import { machineOf, recordedMachine } from "./recorded-machine.ts";

const MiB = 1024 * 1024;
const mount = (root: string, mountPoint: string) => ({
  version: 2 as const,
  root,
  mountPoint,
  controllers: [],
});

describe("values of control group files", () => {
  it.each([
    ["max\n", undefined],
    ["536870912\n", 536_870_912],
    ["9223372036854771712\n", undefined],
    ["-1", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("the memory limit %j is %j (G1)", (text, bytes) => expect(parseCgroupMemory(text)).toBe(bytes));

  it.each([
    ["150000 100000\n", 1.5],
    ["50000 100000", 0.5],
    ["max 100000", undefined],
    ["0 100000", undefined],
    ["100000 0", undefined],
    ["100000", undefined],
    ["", undefined],
  ])("the quota %j is %j processors", (text, cpus) => expect(parseCpuMax(text)).toBe(cpus));

  it("a version 1 quota of -1 is none", () => {
    expect(parseCpuQuota("-1", "100000")).toBeUndefined();
    expect(parseCpuQuota("200000", "100000")).toBe(2);
  });

  it("memory.stat is searched by whole names", () => {
    expect(parseMemoryStat("total_inactive_file 7\ninactive_file 5\n", "inactive_file")).toBe(5);
    expect(parseMemoryStat("inactive_filer 5\n", "inactive_file")).toBeUndefined();
  });
});

describe("where a group is mounted", () => {
  it("own group first, then its ancestors up to the mount (G2)", () => {
    expect(cgroupFolders(mount("/", "/sys/fs/cgroup"), "/a/b")).toEqual([
      "/sys/fs/cgroup/a/b",
      "/sys/fs/cgroup/a",
      "/sys/fs/cgroup",
    ]);
  });

  it("a path below the mount's root is taken relative to it", () => {
    expect(cgroupFolders(mount("/docker/x", "/sys/fs/cgroup"), "/docker/x/y")).toEqual([
      "/sys/fs/cgroup/y",
      "/sys/fs/cgroup",
    ]);
    expect(cgroupFolders(mount("/docker/x", "/sys/fs/cgroup"), "/docker/xy")).toEqual(["/sys/fs/cgroup"]);
  });

  it("a path that climbs or is too deep leaves the mount point alone", () => {
    expect(cgroupFolders(mount("/", "/c"), "/../../etc")).toEqual(["/c"]);
    expect(cgroupFolders(mount("/", "/c"), "/x".repeat(65))).toEqual(["/c"]);
    expect(cgroupFolders(mount("/", "/c"), "/x".repeat(64))).toHaveLength(65);
  });

  it("escaped spaces in mount points are undone", () => {
    const line = "35 24 0:30 / /mnt/my\\040groups rw - cgroup2 none rw";
    expect(parseCgroupMounts(line)[0]?.mountPoint).toBe("/mnt/my groups");
  });
});

describe("limits of a recorded machine", () => {
  it("memory that the page cache would give up counts as free", async () => {
    const machine = recordedMachine("docker-cgroup-v1", { architecture: "x86_64" });
    // 512 MiB limit, 400 MiB used, 100 MiB of that inactive file pages.
    expect(await readMemoryHeadroom(machine)).toBe(212 * MiB);
  });

  it("the group that has least room decides", async () => {
    // 8 GiB limit of the parent, 6 GiB used, 1 GiB of that inactive file pages; the own group has no limit.
    const machine = recordedMachine("xeon-microvm", { architecture: "x86_64" });
    expect(await readMemoryHeadroom(machine)).toBe(3072 * MiB);
  });

  it("without a limit there is no headroom to report", async () => {
    const machine = recordedMachine("ryzen-desktop", { architecture: "x86_64" });
    expect(await readMemoryHeadroom(machine)).toBeUndefined();
    expect(await readLimits(machine)).toEqual({ source: "cgroup-v2" });
  });

  it("the smallest quota of the ancestors binds", async () => {
    const files = new Map([
      ["/proc/self/cgroup", "0::/a/b\n"],
      ["/proc/self/mountinfo", "1 0 0:1 / /cg rw - cgroup2 cgroup2 rw\n"],
      ["/cg/a/b/cpu.max", "400000 100000"],
      ["/cg/a/cpu.max", "250000 100000"],
      ["/cg/a/b/memory.max", "100"],
      ["/cg/a/memory.max", "200"],
    ]);
    const machine = machineOf(files, { architecture: "x86_64" });
    expect(await readLimits(machine)).toEqual({ source: "cgroup-v2", cpus: 2.5, memoryBytes: 100 });
  });
});

describe("garbage", () => {
  it("no text makes a parser throw, and no folder leaves the mount point", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string().map((path) => `0::/${path}\n4:memory:/${path}`),
    );
    fc.assert(
      fc.property(text, text, (cgroup, mountinfo) => {
        const membership = parseCgroupMembership(cgroup);
        parseCgroupMounts(mountinfo);
        parseCgroupMounts(`1 0 0:1 ${mountinfo} - cgroup2 x rw`);
        for (const path of [membership.unified ?? "/", ...membership.controllers.values()]) {
          for (const folder of cgroupFolders(mount("/", "/cg"), path)) {
            expect(folder === "/cg" || folder.startsWith("/cg/")).toBe(true);
            expect(folder.split("/")).not.toContain("..");
          }
        }
        expect(parseCpuMax(cgroup) ?? 1).toBeGreaterThan(0);
        expect(parseMemoryStat(cgroup, "anon") ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
