/** WASI preview 1 call by call: what each answers, also to nonsense, and that its state travels. */
import type { GuestHost, HostWait, OpenHostModule } from "@glia-os/abi/ports";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { accessTo } from "../src/host-module/guest-access.ts";
import { SlotTable } from "../src/host-module/handle-table.ts";
import {
  BadLaunchError,
  completeLimits,
  LAUNCH_LIMITS,
  SnapshotMismatchError,
  type WasiLaunch,
  wasiPreview1,
} from "../src/index.ts";
import { ERRNO } from "../src/wasi/errno.ts";
import { WASI_FUNCTIONS } from "../src/wasi/functions.ts";

const MEMORY = 65_536;
const encoder = new TextEncoder();

/** A guest that is only a memory, and a host that keeps what it hears. */
class Bench {
  readonly memory = new Uint8Array(MEMORY);
  readonly view = new DataView(this.memory.buffer);
  readonly logs: string[] = [];
  readonly raw: string[] = [];
  wall = 1_000_000;
  logBytesLeft = 1_000_000;
  exited: number | undefined;
  open: OpenHostModule;
  readonly #host: GuestHost;

  constructor(launch: WasiLaunch = {}, raw = false, saved?: Uint8Array) {
    const host: GuestHost = {
      log: (level, text) => void this.logs.push(`${level} ${text}`),
      wallMs: () => this.wall,
      random: (target) => void target.fill(0x5a),
      reply: () => 0,
    };
    const output = (stream: 1 | 2, bytes: Uint8Array): void =>
      void this.raw.push(`${stream} ${new TextDecoder().decode(bytes)}`);
    this.#host = raw ? { ...host, output } : host;
    this.open = this.#opened(launch, saved);
  }

  #opened(launch: WasiLaunch, saved?: Uint8Array): OpenHostModule {
    const bench = this;
    const guest = {
      memory: { buffer: this.memory.buffer },
      host: this.#host,
      limits: completeLimits({ messageBytes: 4096 }),
      get logBytesLeft() {
        return bench.logBytesLeft;
      },
      set logBytesLeft(left: number) {
        bench.logBytesLeft = left;
      },
      charge: (): void => undefined,
      touched: (): void => undefined,
      exit: (status: number): never => {
        this.exited = status;
        throw new RangeError("exit");
      },
    };
    return wasiPreview1(launch).open(accessTo(guest, new SlotTable(0)), saved);
  }

  /** Go on from the saved bytes, as after a move. */
  move(): void {
    this.open = this.#opened({}, this.open.save());
  }

  call(name: string, ...args: (number | bigint)[]): number | HostWait {
    return (this.open.calls[name] as (...given: (number | bigint)[]) => number | HostWait)(...args);
  }

  put(at: number, text: string): number {
    const bytes = encoder.encode(text);
    this.memory.set(bytes, at);
    return bytes.length;
  }

  /** A table of pieces at `at`. */
  pieces(at: number, ...pieces: readonly (readonly [pointer: number, length: number])[]): number {
    for (const [index, [pointer, length]] of pieces.entries()) {
      this.view.setUint32(at + index * 8, pointer, true);
      this.view.setUint32(at + index * 8 + 4, length, true);
    }
    return pieces.length;
  }

  write(fd: number, text: string): number | HostWait {
    const length = this.put(1024, text);
    return this.call("fd_write", fd, 512, this.pieces(512, [1024, length]), 500);
  }

  read(fd: number, length: number): string {
    expect(this.call("fd_read", fd, 512, this.pieces(512, [2048, length]), 500)).toBe(0);
    return this.text(2048, this.u32(500));
  }

  openFile(path: string, how = 0, rights = 2n): number {
    const length = this.put(3000, path);
    return this.call("path_open", 3, 0, 3000, length, how, rights, 0n, 0, 600) as number;
  }

  u32 = (at: number): number => this.view.getUint32(at, true);
  u64 = (at: number): bigint => this.view.getBigUint64(at, true);
  text = (at: number, length: number): string => new TextDecoder().decode(this.memory.slice(at, at + length));
}

const FILES = {
  "data/words.txt": encoder.encode("one two three"),
  "data/deep/x": encoder.encode("x"),
  readme: encoder.encode("hello"),
};

describe("every function of preview 1", () => {
  it("has an implementation that answers an error number to any arguments, and never throws", () => {
    const names = Object.keys(WASI_FUNCTIONS).filter((name) => name !== "proc_exit");
    expect(names).toHaveLength(45);
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.array(fc.oneof(fc.integer(), fc.nat(4), fc.nat(MEMORY), fc.constant(MEMORY - 1)), {
          minLength: 9,
          maxLength: 9,
        }),
        fc.uint8Array({ maxLength: 200 }),
        (name, numbers, noise) => {
          const bench = new Bench({ files: FILES, stdin: encoder.encode("input") });
          bench.memory.set(noise);
          const params = WASI_FUNCTIONS[name]?.params ?? [];
          const args = params.map((type, at) =>
            type === "i64" ? BigInt(numbers[at] ?? 0) : (numbers[at] ?? 0),
          );
          const answer = bench.call(name, ...args);
          if (typeof answer === "number") expect(Object.values(ERRNO)).toContain(answer);
          else expect(["sleep", "yield"]).toContain(answer.op);
          bench.move();
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("that changes files, sends signals or opens sockets is refused by number", () => {
    const bench = new Bench({ files: FILES });
    expect(bench.call("path_create_directory", 3, 0, 1)).toBe(ERRNO.rofs);
    expect(bench.call("path_unlink_file", 3, 0, 1)).toBe(ERRNO.rofs);
    expect(bench.call("proc_raise", 9)).toBe(ERRNO.nosys);
    expect(bench.call("sock_send", 1, 0, 0, 0, 0)).toBe(ERRNO.nosys);
  });
});

describe("a launch", () => {
  it("gives arguments and variables", () => {
    const bench = new Bench({ args: ["a", "Grüße"], env: { HOME: "/", X: "" } });
    expect([bench.call("args_sizes_get", 0, 4), bench.u32(0), bench.u32(4)]).toEqual([0, 2, 10]);
    expect(bench.call("args_get", 8, 100)).toBe(0);
    expect([bench.u32(8), bench.u32(12), bench.text(100, 10)]).toEqual([100, 102, "a\0Grüße\0"]);
    expect([bench.call("environ_sizes_get", 0, 4), bench.u32(0), bench.u32(4)]).toEqual([0, 2, 10]);
    expect(bench.call("environ_get", 8, 100)).toBe(0);
    expect(bench.text(100, 10)).toBe("HOME=/\0X=\0");
    expect(bench.call("args_get", MEMORY - 4, 0)).toBe(ERRNO.fault);
    expect(bench.call("args_get", 0, MEMORY - 9)).toBe(ERRNO.fault);
  });

  it("is refused out of its bounds", () => {
    const of = (bytes: number): Uint8Array => new Uint8Array(bytes);
    const bad: WasiLaunch[] = [
      { args: ["a\0b"] },
      { args: Array(LAUNCH_LIMITS.strings + 1).fill("") as string[] },
      { args: ["x".repeat(LAUNCH_LIMITS.stringBytes)] },
      { env: { "": "x" } },
      { env: { "A=B": "x" } },
      { stdin: of(LAUNCH_LIMITS.stdinBytes + 1) },
      { files: { "/etc": of(1) } },
      { files: { "a/../b": of(1) } },
      { files: { "a//b": of(1) } },
      { files: { "": of(1) } },
      { files: { a: of(1), "a/b": of(1) } },
      { files: { ["n".repeat(LAUNCH_LIMITS.pathBytes + 1)]: of(1) } },
      { files: { a: of(LAUNCH_LIMITS.fileBytes), b: of(1) } },
      {
        files: Object.fromEntries(
          Array.from({ length: LAUNCH_LIMITS.files + 1 }, (_, at) => [`f${at}`, of(0)]),
        ),
      },
      { outputBytes: LAUNCH_LIMITS.outputBytes + 1 },
      { outputBytes: 0.5 },
      { seed: of(0) },
      { seed: of(LAUNCH_LIMITS.seedBytes + 1) },
    ];
    for (const [at, launch] of bad.entries())
      expect(() => wasiPreview1(launch), `case ${at}`).toThrow(BadLaunchError);
    expect(() => new Bench({ args: ["x".repeat(LAUNCH_LIMITS.stringBytes - 1)] })).not.toThrow();
  });

  it("ends with the guest's status", () => {
    const bench = new Bench();
    expect(() => bench.call("proc_exit", 7)).toThrow(RangeError);
    expect(bench.exited).toBe(7);
  });
});

describe("output", () => {
  it("goes to the log line by line, long lines in pieces, and the rest when the guest ends", () => {
    const bench = new Bench();
    bench.write(1, "one\ntwo");
    bench.move();
    bench.write(1, "!\n\nthree");
    bench.write(2, "err");
    bench.write(1, `\n${"é".repeat(2500)}`);
    expect(bench.logs).toEqual(["2 one", "2 two!", "2 ", "2 three", `2 ${"é".repeat(2048)}`]);
    bench.open.close?.("ended");
    expect(bench.logs.slice(5)).toEqual([`2 ${"é".repeat(452)}`, "3 err"]);
  });

  it("goes raw to a host that takes it", () => {
    const bench = new Bench({}, true);
    bench.write(1, "no line end");
    bench.write(2, "oops\n");
    bench.write(1, "");
    expect(bench.raw).toEqual(["1 no line end", "2 oops\n"]);
  });

  it("ends at the output limit, which travels; a write past it does nothing", () => {
    const bench = new Bench({ outputBytes: 10 }, true);
    expect(bench.write(1, "12345678")).toBe(0);
    bench.move();
    expect(bench.write(1, "abc")).toBe(ERRNO.nospc);
    expect(bench.write(2, "ab")).toBe(0);
    expect(bench.raw).toEqual(["1 12345678", "2 ab"]);
  });

  it("ends at the log budget", () => {
    const bench = new Bench();
    bench.logBytesLeft = 5;
    expect(bench.write(1, "1234\n5678\n")).toBe(ERRNO.nospc);
    expect(bench.logs).toEqual(["2 1234"]);
  });

  it("is refused for pieces that lie outside, are too many, or descriptors that cannot be written", () => {
    const bench = new Bench({ files: FILES }, true);
    expect(bench.call("fd_write", 1, 512, bench.pieces(512, [0, 4], [MEMORY - 2, 4]), 500)).toBe(ERRNO.fault);
    expect(bench.call("fd_write", 1, 512, 1025, 500)).toBe(ERRNO.fault);
    expect(bench.call("fd_write", 1, 512, -1, 500)).toBe(ERRNO.fault);
    expect(bench.call("fd_write", 1, 512, bench.pieces(512, [0, 4]), MEMORY - 2)).toBe(ERRNO.fault);
    for (const fd of [0, 3, 99, -1]) expect(bench.write(fd, "x")).toBe(ERRNO.badf);
    expect(bench.raw).toEqual([]);
  });
});

describe("input and files", () => {
  it("standard input is read once, in pieces, across a move; what was read is not kept", () => {
    const bench = new Bench({ stdin: encoder.encode("hello world") });
    expect(bench.read(0, 5)).toBe("hello");
    const before = bench.open.save().length;
    expect(before).toBeLessThan(new Bench({ stdin: encoder.encode("hello world") }).open.save().length);
    bench.move();
    expect(bench.call("fd_read", 0, 512, bench.pieces(512, [2000, 2], [2100, 50]), 500)).toBe(0);
    expect([bench.u32(500), bench.text(2000, 2), bench.text(2100, 4)]).toEqual([6, " w", "orld"]);
    expect(bench.read(0, 5)).toBe("");
    expect(bench.call("fd_seek", 0, 0n, 0, 600)).toBe(ERRNO.spipe);
  });

  it("files are opened, read, sought and told across a move, and their descriptors are the lowest free ones", () => {
    const bench = new Bench({ files: FILES });
    expect([bench.openFile("data/../data/./words.txt"), bench.u32(600)]).toEqual([0, 4]);
    expect(bench.read(4, 3)).toBe("one");
    bench.move();
    expect(bench.read(4, 100)).toBe(" two three");
    expect([bench.call("fd_seek", 4, -5n, 2, 600), bench.u64(600)]).toEqual([0, 8n]);
    expect(bench.read(4, 9)).toBe("three");
    expect([bench.call("fd_tell", 4, 600), bench.u64(600)]).toEqual([0, 13n]);
    expect(bench.call("fd_seek", 4, -14n, 1, 600)).toBe(ERRNO.inval);
    expect(bench.call("fd_seek", 4, 0n, 9, 600)).toBe(ERRNO.inval);
    expect(bench.call("fd_pread", 4, 512, bench.pieces(512, [2000, 3]), 4n, 500)).toBe(0);
    expect(bench.text(2000, 3)).toBe("two");
    expect([bench.openFile("readme"), bench.u32(600)]).toEqual([0, 5]);
    expect(bench.call("fd_close", 4)).toBe(0);
    expect(bench.call("fd_close", 4)).toBe(ERRNO.badf);
    expect([bench.openFile("readme"), bench.u32(600)]).toEqual([0, 4]);
    expect(bench.call("fd_renumber", 5, 4)).toBe(0);
    expect(bench.call("fd_close", 5)).toBe(ERRNO.badf);
  });

  it("nothing can be written, made or reached outside", () => {
    const bench = new Bench({ files: FILES });
    expect(bench.openFile("readme", 0, 2n | 64n)).toBe(ERRNO.rofs);
    expect(bench.openFile("new", 1)).toBe(ERRNO.rofs);
    expect(bench.openFile("readme", 8)).toBe(ERRNO.rofs);
    expect(bench.openFile("readme", 1 | 4)).toBe(ERRNO.exist);
    expect(bench.openFile("readme", 2)).toBe(ERRNO.notdir);
    expect(bench.openFile("none")).toBe(ERRNO.noent);
    expect(bench.openFile("../etc/passwd")).toBe(ERRNO.notcapable);
    expect(bench.openFile("/etc/passwd")).toBe(ERRNO.notcapable);
    expect(bench.openFile("data/../../x")).toBe(ERRNO.notcapable);
    expect(bench.openFile("\xff\xfe")).toBe(ERRNO.noent);
    bench.memory.set([0xff, 0xfe], 3000);
    expect(bench.call("path_open", 3, 0, 3000, 2, 0, 2n, 0n, 0, 600)).toBe(ERRNO.inval);
    expect(bench.call("path_open", 1, 0, 3000, 2, 0, 2n, 0n, 0, 600)).toBe(ERRNO.notdir);
  });

  it("has one preopened folder when there are files, and none otherwise", () => {
    const bench = new Bench({ files: FILES });
    expect([bench.call("fd_prestat_get", 3, 100), bench.u32(100), bench.u32(104)]).toEqual([0, 0, 1]);
    expect([bench.call("fd_prestat_dir_name", 3, 100, 1), bench.text(100, 1)]).toEqual([0, "/"]);
    expect(bench.call("fd_prestat_get", 4, 100)).toBe(ERRNO.badf);
    expect(new Bench().call("fd_prestat_get", 3, 100)).toBe(ERRNO.badf);
  });

  it("lists a folder, in pieces as small as the guest likes", () => {
    const bench = new Bench({ files: FILES });
    const names: string[] = [];
    for (let cookie = 0n; ; ) {
      expect(bench.call("fd_readdir", 3, 100, 40, cookie, 90)).toBe(0);
      const used = bench.u32(90);
      if (used === 0) break;
      names.push(`${bench.memory[120]} ${bench.text(124, bench.u32(116))}`);
      cookie = bench.u64(100);
    }
    expect(names).toEqual(["3 .", "3 ..", "3 data", "4 readme"]);
    expect(bench.call("fd_readdir", 1, 100, 40, 0n, 90)).toBe(ERRNO.notdir);
  });

  it("says what things are: a terminal that cannot seek, files with their size, folders", () => {
    const bench = new Bench({ files: FILES });
    expect([bench.call("fd_fdstat_get", 1, 0), bench.memory[0], bench.u64(8) & 0x24n]).toEqual([0, 2, 0n]);
    const length = bench.put(3000, "data/words.txt");
    expect(bench.call("path_filestat_get", 3, 0, 3000, length, 200)).toBe(0);
    expect([bench.memory[216], bench.u64(232)]).toEqual([4, 13n]);
    expect([bench.call("fd_filestat_get", 3, 200), bench.memory[216]]).toEqual([0, 3]);
    expect(bench.call("fd_filestat_get", 3, MEMORY - 63)).toBe(ERRNO.fault);
  });

  it("keeps at most 256 descriptors open", () => {
    const bench = new Bench({ files: FILES });
    for (let open = 4; open < 256; open++) expect(bench.openFile("readme")).toBe(0);
    expect(bench.openFile("readme")).toBe(ERRNO.mfile);
  });
});

describe("clocks, waiting and randomness", () => {
  it("the monotonic clock never goes back, also where the wall clock is behind", () => {
    const bench = new Bench();
    const read = (clock: number): bigint =>
      bench.call("clock_time_get", clock, 0n, 0) === 0 ? bench.u64(0) / 1_000_000n : -1n;
    expect([read(0), read(1), read(2)]).toEqual([1_000_000n, 0n, -1n]);
    bench.wall += 500.7;
    expect(read(1)).toBe(500n);
    bench.wall = 10;
    expect(read(1)).toBe(500n);
    bench.move();
    bench.wall = 40;
    expect(read(1)).toBe(500n);
    bench.wall = 700_000;
    bench.move();
    bench.wall = 700_250;
    expect(read(1)).toBeGreaterThanOrEqual(500n);
    expect([bench.call("clock_res_get", 1, 0), bench.u64(0)]).toEqual([0, 1_000_000n]);
  });

  it("waiting for the earliest of several clocks is a sleep, and the event names it, also after a move", () => {
    const bench = new Bench();
    const subscribe = (index: number, tag: number, ns: bigint, flags = 0, clock = 1): void => {
      const at = 1000 + index * 48;
      bench.view.setBigUint64(at, BigInt(index + 70), true);
      bench.memory[at + 8] = tag;
      bench.view.setUint32(at + 16, clock, true);
      bench.view.setBigUint64(at + 24, ns, true);
      bench.view.setUint16(at + 40, flags, true);
    };
    subscribe(0, 0, 9_000_000n);
    subscribe(1, 0, 2_500_000n);
    subscribe(2, 0, 1_000_004n * 1_000_000n, 1, 0);
    expect(bench.call("poll_oneoff", 1000, 3000, 3, 500)).toEqual({ op: "sleep", args: [3] });
    bench.move();
    expect(bench.open.resumes?.["poll_oneoff"]?.([3], { value: 0 })).toBe(0);
    expect([bench.u32(500), bench.u64(3000), bench.memory[3010]]).toEqual([1, 71n, 0]);
    expect(bench.open.resumes?.["poll_oneoff"]?.([3], { value: 0 })).toBe(ERRNO.inval);
    subscribe(3, 1, 0n);
    expect(bench.call("poll_oneoff", 1000, 3000, 4, 500)).toBe(0);
    expect([bench.u32(500), bench.u64(3000), bench.memory[3010]]).toEqual([1, 73n, 1]);
    expect(bench.call("poll_oneoff", 1000, 3000, 0, 500)).toBe(ERRNO.inval);
    expect(bench.call("poll_oneoff", 1000, 3000, 1025, 500)).toBe(ERRNO.inval);
    expect(bench.call("poll_oneoff", MEMORY - 47, 3000, 1, 500)).toBe(ERRNO.fault);
    subscribe(0, 0, 0xffff_ffff_ffff_ffffn);
    const wait = bench.call("poll_oneoff", 1000, 3000, 1, 500) as HostWait;
    expect(Number.isSafeInteger(wait.args[0])).toBe(true);
  });

  it("randomness is the host's, or follows from the seed alone and goes on after a move", () => {
    const host = new Bench();
    expect([host.call("random_get", 0, 4), host.u32(0)]).toEqual([0, 0x5a5a5a5a]);
    expect(host.call("random_get", MEMORY - 3, 4)).toBe(ERRNO.fault);
    expect(host.call("random_get", 0, 4096)).toBe(0);
    expect(host.call("random_get", 0, 4097)).toBe(ERRNO.inval);
    const draw = (moves: boolean): string => {
      const bench = new Bench({ seed: Uint8Array.of(1, 2, 3) });
      const drawn: string[] = [];
      for (const length of [1, 40, 70, 0, 32]) {
        expect(bench.call("random_get", 0, length)).toBe(0);
        drawn.push(Buffer.from(bench.memory.slice(0, length)).toString("hex"));
        if (moves) bench.move();
      }
      return drawn.join(" ");
    };
    expect(draw(true)).toBe(draw(false));
    expect(new Set(draw(false).split(" ")).size).toBe(5);
  });
});

it("a state that is no state of WASI is refused with a typed error, whatever bytes it is", () => {
  const bench = new Bench({
    args: ["a"],
    env: { b: "c" },
    stdin: Uint8Array.of(1, 2),
    files: FILES,
    seed: Uint8Array.of(4),
  });
  bench.openFile("readme");
  const good = bench.open.save();
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
      const bytes = cut ? good.slice(0, at) : good.slice();
      if (!cut) bytes[at] = byte;
      try {
        new Bench({}, false, bytes).call("fd_read", 4, 0, 0, 0);
      } catch (error) {
        const typed = error instanceof SnapshotMismatchError || error instanceof BadLaunchError;
        if (!typed) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
