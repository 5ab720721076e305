/**
 * WASI preview 1 as a host module: programs of C and Rust with their standard libraries run as guests.
 *
 * I1. All a guest sees is its launch, the host's clock and randomness, and its own earlier calls; two guests with the same of
 *     each do the same. Everything kept for a guest travels with it, so it can be moved in any of these calls.
 * I2. A function that is not there answers an error number (functions.ts); no function throws for what a guest passes.
 */

import type { GuestAccess, GuestHost, HostCall, HostModule, OpenHostModule } from "@glia-os/abi/ports";
import { clockCalls, continueClock, endPoll } from "./clocks.ts";
import { descriptorCalls } from "./descriptors.ts";
import { ERRNO, type Errno } from "./errno.ts";
import { FileTree } from "./file-tree.ts";
import { ABSENT, WASI_FUNCTIONS } from "./functions.ts";
import { storeU32 } from "./guest-views.ts";
import { completeLaunch, type WasiLaunch } from "./launch.ts";
import { pathCalls } from "./paths.ts";
import { decodeState, encodeState, initialState, type WasiState } from "./state.ts";
import { flushStreams } from "./streams.ts";
import { WASI_MODULE } from "./suspending.ts";

/** Version of the state WASI keeps in snapshots. */
const STATE_VERSION = 1;

/**
 * The host module `wasi_snapshot_preview1`. `launch` is what every guest of the engine starts with, or a function that is asked
 * per guest with its host; a guest restored from a snapshot keeps the launch it had.
 * @throws BadLaunchError at once, when `launch` is not a function and out of bounds
 */
export function wasiPreview1(launch: WasiLaunch | ((host: GuestHost) => WasiLaunch) = {}): HostModule {
  const fixed = typeof launch === "function" ? undefined : completeLaunch(launch);
  return {
    name: WASI_MODULE,
    version: STATE_VERSION,
    functions: WASI_FUNCTIONS,
    open(access, saved) {
      const { host } = access;
      const wallMs = Math.trunc(host.wallMs());
      if (saved !== undefined) {
        const state = decodeState(saved);
        continueClock(state, wallMs);
        return serve(state, access);
      }
      const given = fixed ?? completeLaunch(typeof launch === "function" ? launch(host) : launch);
      return serve(initialState(given, wallMs), access);
    },
  };
}

function serve(state: WasiState, access: GuestAccess): OpenHostModule {
  const files = { access, state, tree: new FileTree(state.launch.files) };
  const absent = Object.entries(ABSENT).map(([name, errno]): [string, HostCall] => [name, () => errno]);
  return {
    calls: {
      ...Object.fromEntries(absent),
      ...stringCalls("args", state.launch.args, access),
      ...stringCalls("environ", state.launch.env, access),
      ...descriptorCalls(files),
      ...pathCalls(files),
      ...clockCalls(state, access),
      proc_exit: (status: number) => access.exit(status),
    },
    resumes: { poll_oneoff: () => endPoll(state, access), sched_yield: () => ERRNO.success },
    save: () => encodeState(state),
    close: (how) => {
      if (how === "ended") flushStreams(state, access);
    },
  };
}

/** `NAME_sizes_get` and `NAME_get`: zero-terminated strings and a table of pointers to them. */
function stringCalls(
  name: "args" | "environ",
  strings: readonly string[],
  { memory }: GuestAccess,
): Readonly<Record<string, HostCall>> {
  const encoded = strings.map((text) => new TextEncoder().encode(`${text}\0`));
  const bytes = encoded.reduce((sum, { length }) => sum + length, 0);
  return {
    [`${name}_sizes_get`]: (count: number, size: number): Errno =>
      storeU32(memory, count, encoded.length) && storeU32(memory, size, bytes) ? ERRNO.success : ERRNO.fault,
    [`${name}_get`]: (pointers: number, buffer: number): Errno => {
      const table = memory.writes(pointers, encoded.length * 4);
      const target = memory.writes(buffer, bytes);
      if (table === undefined || target === undefined) return ERRNO.fault;
      let at = 0;
      for (const [index, text] of encoded.entries()) {
        storeU32(memory, pointers + index * 4, buffer + at);
        target.set(text, at);
        at += text.length;
      }
      return ERRNO.success;
    },
  };
}
