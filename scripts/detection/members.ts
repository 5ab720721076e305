/**
 * A mesh of real processes on this machine, watched from here.
 *
 * MP1. Only processes started here are ended, stopped or continued, and `stop` ends all of them, stopped ones included.
 * MP2. Times are taken here, when a member's news arrives: the same for all members.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { HostPort } from "@glia-os/abi/ports";
import type { MembershipProfile } from "@glia-os/mesh-core";
import type { FromMember, ToMember, View } from "./member-words.ts";
import { until } from "./until.ts";

/** When a member said that another one changed. */
export interface Seen {
  readonly viewer: number;
  readonly member: number;
  readonly state: View;
  readonly incarnation: number;
  readonly atMs: number;
}

/** How a mesh starts. */
export interface MembersOptions {
  readonly size: number;
  readonly profile: MembershipProfile;
  /** Validity of the certificates on the wire, in milliseconds; default 90 days. */
  readonly certificateMs?: number;
  /** Where a member listens; default a free port of 127.0.0.1. */
  bindOf?(index: number): HostPort;
  /** What to put before a member's command, such as `ip netns exec NAME`. */
  prefixOf?(index: number): readonly string[];
}

interface Member {
  readonly process: ChildProcess;
  readonly views: Map<number, { state: View; incarnation: number }>;
  readonly ready: Promise<Ready>;
}

type Ready = Extract<FromMember, { kind: "ready" }>;

/** What came of calls between members. */
export interface Talk {
  answered: number;
  /** Why calls failed. */
  readonly failed: string[];
  /** Why the last session of a pair ended. */
  readonly sessionsDown: string[];
}

const PROGRAM = fileURLToPath(new URL("./member.ts", import.meta.url));
const START_LIMIT_MS = 120_000;
/** Members that start at the same time: each costs about a second of a core. */
const AT_ONCE = 4;
const NAME = "member-";

/** The mesh (MP1, MP2). */
export class Members {
  /** Everything members said, in the order it arrived. */
  readonly seen: Seen[] = [];
  /** What came of the calls since {@link talk}. */
  readonly talked: Talk = { answered: 0, failed: [], sessionsDown: [] };
  readonly #members = new Map<number, Member>();
  readonly #options: MembersOptions;

  private constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** Start processes that all know each other. @throws when one fails, or when they do not meet in two minutes. */
  static async start(options: MembersOptions): Promise<Members> {
    const mesh = new Members(options);
    try {
      const { joinLine } = await mesh.#begin(0, undefined);
      const waiting = Array.from({ length: options.size - 1 }, (_, i) => i + 1);
      const startSome = async (): Promise<void> => {
        for (let index = waiting.shift(); index !== undefined; index = waiting.shift())
          await mesh.#begin(index, joinLine);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, startSome));
      if (!(await mesh.whole(START_LIMIT_MS)))
        throw new RangeError(`${options.size} members did not meet within ${START_LIMIT_MS / 1000} s`);
      return mesh;
    } catch (error) {
      mesh.stop();
      throw error;
    }
  }

  /** Members that run. */
  get running(): readonly number[] {
    return [...this.#members.keys()];
  }

  /** Wait until every running member sees every other running one alive; whether that came about. */
  whole(limitMs: number): Promise<boolean> {
    return until(() => this.#all((view) => view === "alive"), limitMs);
  }

  /** What one member thinks of another now; undefined when it has never heard of it. */
  view(viewer: number, of: number): { state: View; incarnation: number } | undefined {
    return this.#members.get(viewer)?.views.get(of);
  }

  /** Wait until each running member outside `members` thinks `state` of each in `members`; whether that came about. */
  believed(members: readonly number[], state: View, limitMs: number): Promise<boolean> {
    const viewers = this.running.filter((viewer) => !members.includes(viewer));
    return until(
      () => viewers.every((viewer) => members.every((of) => this.view(viewer, of)?.state === state)),
      limitMs,
    );
  }

  /** Wait until each running member thinks dead of each on another side; whether that came about. */
  apart(sideOf: (index: number) => unknown, limitMs: number): Promise<boolean> {
    const { running } = this;
    const strangers = running.flatMap((viewer) =>
      running.filter((of) => sideOf(of) !== sideOf(viewer)).map((of) => [viewer, of] as const),
    );
    return until(() => strangers.every(([viewer, of]) => this.view(viewer, of)?.state === "dead"), limitMs);
  }

  /** `kill -9` of one member; when the first and when the last of the others said that it is dead, in milliseconds after it. */
  async kill(index: number, limitMs: number): Promise<{ firstMs: number; allMs: number; heard: number }> {
    const member = this.#members.get(index);
    this.#members.delete(index);
    const killedMs = performance.now();
    member?.process.kill("SIGKILL");
    const times = (): Map<number, number> => {
      const heard = this.seen.filter((seen) => seen.member === index && seen.state === "dead");
      return new Map(heard.filter(({ atMs }) => atMs >= killedMs).map(({ viewer, atMs }) => [viewer, atMs]));
    };
    await until(() => times().size >= this.#members.size, limitMs);
    const after = [...times().values()].map((atMs) => atMs - killedMs);
    return { firstMs: Math.min(...after), allMs: Math.max(...after), heard: after.length };
  }

  /** Let every member call the others from now on, or no more. */
  talk(on: boolean): void {
    if (on) this.talked.sessionsDown.length = 0;
    const message: ToMember = { kind: on ? "talk" : "hush" };
    for (const { process } of this.#members.values()) process.send(message);
  }

  /** Where a member listens. */
  async addressOf(index: number): Promise<HostPort | undefined> {
    return (await this.#members.get(index)?.ready)?.address;
  }

  /** SIGSTOP: the process stands still with its sockets open. */
  freeze(index: number): void {
    this.#members.get(index)?.process.kill("SIGSTOP");
  }

  /** SIGCONT. */
  thaw(index: number): void {
    this.#members.get(index)?.process.kill("SIGCONT");
  }

  /** End every process (MP1). */
  stop(): void {
    for (const { process } of this.#members.values()) process.kill("SIGKILL");
    this.#members.clear();
  }

  #all(good: (state: View | undefined) => boolean): boolean {
    const { running } = this;
    return running.every((viewer) =>
      running.every((of) => of === viewer || good(this.view(viewer, of)?.state)),
    );
  }

  async #begin(index: number, joinLine: string | undefined): Promise<Ready> {
    const { profile, size, certificateMs, bindOf, prefixOf } = this.#options;
    const command = [
      ...(prefixOf?.(index) ?? []),
      process.execPath,
      "--conditions=@glia-os/source",
      "--max-semi-space-size=1",
      PROGRAM,
    ];
    const child = spawn(command[0] ?? "", command.slice(1), {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const member: Member = { process: child, views: new Map(), ready: this.#watch(index, child) };
    this.#members.set(index, member);
    const start = {
      name: `${NAME}${index}`,
      ...{ profile, uses: size - 1 },
      bind: bindOf?.(index) ?? { host: "127.0.0.1", port: 0 },
      ...(joinLine === undefined ? {} : { joinLine }),
      ...(certificateMs === undefined ? {} : { certificateMs }),
    };
    child.send({ kind: "start", start } satisfies ToMember);
    return member.ready;
  }

  #watch(index: number, child: ChildProcess): Promise<Ready> {
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) =>
        reject(new RangeError(`member ${index} ended: ${signal ?? code}`)),
      );
      child.on("message", (message: FromMember) => {
        if (message.kind === "ready") resolve(message);
        else if (message.kind === "failed") reject(new RangeError(`member ${index}: ${message.why}`));
        else this.#heard(index, message);
      });
    });
  }

  #heard(viewer: number, message: Exclude<FromMember, { kind: "ready" | "failed" }>): void {
    if (message.kind === "session-down") this.talked.sessionsDown.push(message.reason);
    else if (message.kind === "called") {
      if (message.failed === undefined) this.talked.answered++;
      else this.talked.failed.push(message.failed);
    } else {
      const { of, state, incarnation } = message;
      const member = Number(of.slice(NAME.length));
      this.#members.get(viewer)?.views.set(member, { state, incarnation });
      this.seen.push({ viewer, member, state, incarnation, atMs: performance.now() });
    }
  }
}
