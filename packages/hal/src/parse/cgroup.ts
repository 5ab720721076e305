/**
 * Control groups, versions 1 and 2 (cgroups(7), the kernel's admin-guide/cgroup-v1 and cgroup-v2).
 *
 * G1. A limit that does not parse is no limit; a limit of 2^53 bytes or more is how version 1 says
 *     "unlimited".
 * G2. A process is bound by every ancestor's limit as well as its own group's, as far up as its namespace
 *     shows.
 */
import { parseInteger } from "./integer.ts";

/** Deepest group path followed. */
const DEPTH_LIMIT = 64;

/** Group paths of a process, from `/proc/self/cgroup`. */
export interface CgroupMembership {
  /** Path in the unified hierarchy. */
  readonly unified?: string;
  /** Path by version 1 controller name. */
  readonly controllers: ReadonlyMap<string, string>;
}

/** A mounted hierarchy, from `/proc/self/mountinfo`. */
export interface CgroupMount {
  readonly version: 1 | 2;
  /** The path inside the hierarchy that the mount point shows. */
  readonly root: string;
  readonly mountPoint: string;
  /** Version 1 controllers; empty for version 2. */
  readonly controllers: readonly string[];
}

/** Parse `/proc/self/cgroup`: `hierarchy:controllers:path` per line. Other lines are ignored. */
export function parseCgroupMembership(text: string): CgroupMembership {
  const controllers = new Map<string, string>();
  let unified: string | undefined;
  for (const line of text.split("\n")) {
    const match = /^(\d+):([^:]*):(\/.*)$/.exec(line);
    if (match === null) continue;
    const [, id, names, path] = match;
    if (id === "0" && names === "") unified = path;
    else for (const name of names!.split(",")) controllers.set(name, path!);
  }
  return unified === undefined ? { controllers } : { unified, controllers };
}

/** Undo the octal escapes of mountinfo (`\040` for a space). */
function unescapePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Parse `/proc/self/mountinfo` (proc_pid_mountinfo(5)) and keep the control group hierarchies. */
export function parseCgroupMounts(text: string): readonly CgroupMount[] {
  return text.split("\n").flatMap((line): CgroupMount[] => {
    const [front, back] = line.split(" - ");
    if (front === undefined || back === undefined) return [];
    const [, , , root, mountPoint] = front.split(" ");
    const [kind, , options] = back.split(" ");
    if (root === undefined || mountPoint === undefined) return [];
    const place = { root: unescapePath(root), mountPoint: unescapePath(mountPoint) };
    if (kind === "cgroup2") return [{ version: 2, ...place, controllers: [] }];
    if (kind !== "cgroup") return [];
    return [
      { version: 1, ...place, controllers: (options ?? "").split(",").filter((name) => name !== "rw") },
    ];
  });
}

/**
 * The folders whose limits bind a process (G2), its own group first. A group path outside the mount's root,
 * as in a container that sees its group under the host's name, leaves the mount point itself: that is the
 * container's own group.
 */
export function cgroupFolders(mount: CgroupMount, path: string): readonly string[] {
  const base = mount.mountPoint.replace(/\/+$/, "");
  const segments = relativeSegments(mount.root, path);
  const folders: string[] = [];
  for (let depth = segments.length; depth >= 0; depth -= 1) {
    folders.push([base, ...segments.slice(0, depth)].join("/") || "/");
  }
  return folders;
}

function relativeSegments(root: string, path: string): readonly string[] {
  const prefix = root === "/" ? "" : root.replace(/\/+$/, "");
  if (path !== prefix && !path.startsWith(`${prefix}/`)) return [];
  const segments = path.slice(prefix.length).split("/").filter(Boolean);
  if (segments.length > DEPTH_LIMIT || segments.includes("..")) return [];
  return segments;
}

/**
 * A memory limit in bytes from `memory.max`, `memory.high` or `memory.limit_in_bytes`; `undefined` for none
 * (G1).
 */
export function parseCgroupMemory(text: string | undefined): number | undefined {
  return parseInteger(text);
}

/** A quota in processors from `cpu.max`: `quota period` in microseconds, or `max period` for none. */
export function parseCpuMax(text: string | undefined): number | undefined {
  const [quota, period] = (text ?? "").trim().split(/\s+/);
  return parseCpuQuota(quota, period);
}

/** A quota in processors from `cpu.cfs_quota_us` and `cpu.cfs_period_us`; -1 is no quota. */
export function parseCpuQuota(quota: string | undefined, period: string | undefined): number | undefined {
  const quotaUs = parseInteger(quota);
  const periodUs = parseInteger(period);
  return !quotaUs || !periodUs ? undefined : quotaUs / periodUs;
}

/** One number of a `memory.stat`; `undefined` when the line is not there. */
export function parseMemoryStat(text: string | undefined, name: string): number | undefined {
  const line = text?.split("\n").find((candidate) => candidate.startsWith(`${name} `));
  return parseInteger(line?.slice(name.length + 1));
}
