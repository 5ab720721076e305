import { RIGHTS } from "@glia-os/abi/syscalls";
import type { Handle, Kernel, Operation, Program, Routine, Settle, Sys, TaskId } from "@glia-os/kernel";
import { asyncProgram } from "@glia-os/kernel/face";
import {
  approverService,
  CancelSource,
  filesService,
  httpService,
  modelService,
  type Service,
  type ServiceCall,
  type ServiceKind,
  toolService,
} from "@glia-os/kernel/services";
import { createTestKernel, runToCompletion, runWithMicrotasks } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { OPCODE_NAMES } from "../src/internal.ts";
import { codeOf } from "./run.ts";
import { turn } from "./run-async.ts";

/** A call that reached a service. */
interface Reached {
  readonly request: unknown;
  readonly settle: Settle<unknown>;
  readonly call: ServiceCall;
  stopped: boolean;
}

/** A service that keeps its calls until the test settles them. */
function keeping(kind: ServiceKind, concurrency = 256): { service: Service; calls: Reached[] } {
  const calls: Reached[] = [];
  const service: Service = {
    kind,
    name: kind,
    concurrency,
    perform(request, settle, call) {
      const reached: Reached = { request, settle, call, stopped: false };
      calls.push(reached);
      return () => {
        reached.stopped = true;
      };
    },
  };
  return { service, calls };
}

function* codeOfOperation(make: () => Operation<unknown>): Routine<string> {
  try {
    yield* make();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return "nothing was thrown";
}

/** What one task with the handle gives back. */
function resultWith<Result>(
  service: Service,
  program: (sys: Sys, handle: Handle) => Routine<Result>,
): Result {
  const { kernel, clock } = createTestKernel();
  const task = kernel.spawn((sys, given) => program(sys, given!), { give: [kernel.service(service)] });
  runToCompletion(kernel, clock);
  const exit = kernel.exitOf(task);
  if (exit?.kind === "ok") return exit.value as Result;
  throw exit?.kind === "failed" ? exit.error : new RangeError(`the task ended as ${exit?.kind ?? "never"}`);
}

function askers(kernel: Kernel, handle: Handle, count: number): TaskId[] {
  const asking: Program = function* (sys, tool) {
    return yield* sys.exec(tool!, sys.getTid());
  };
  return Array.from({ length: count }, () => kernel.spawn(asking, { give: [handle] }));
}

test("each kind of service is called by its own syscall and gives its value to the task", () => {
  const { kernel, clock } = createTestKernel();
  const echo = (kind: ServiceKind): Handle =>
    kernel.service({
      kind,
      name: kind,
      perform: (request, settle) => {
        settle.ok([kind, request]);
        return undefined;
      },
    });
  const give = [echo("tool"), echo("http"), echo("files"), echo("model"), echo("approver")];
  const task = kernel.spawn(
    function* (sys, tool, http, files, model, approver) {
      return [
        yield* sys.exec(tool!, 1),
        yield* sys.fetch(http!, { url: "http://a/" }),
        yield* sys.file(files!, { operation: "list", path: "." }),
        yield* sys.model(model!, { prompt: "p" }),
        yield* sys.approve(approver!, "May I?"),
      ];
    },
    { give },
  );
  runToCompletion(kernel, clock);
  const value = [
    ["tool", 1],
    ["http", { method: "GET", url: "http://a/", headers: {} }],
    ["files", { operation: "list", path: "." }],
    ["model", { prompt: "p" }],
    ["approver", "May I?"],
  ];
  expect(kernel.exitOf(task)).toEqual({ kind: "ok", value });
});

test("SE1: without the right, with another kind of handle or after a revocation nothing reaches the service", () => {
  const { service, calls } = keeping("files");
  const codes = resultWith(service, function* (sys, root) {
    const readable = sys.attenuate(root, RIGHTS.read);
    const writable = sys.attenuate(root, RIGHTS.write);
    const nothing = sys.attenuate(root, 0);
    const read = { operation: "read", path: "a" } as const;
    const write = { operation: "write", path: "a", content: new Uint8Array(1) } as const;
    const codes = [
      yield* codeOfOperation(() => sys.file(readable, write)),
      yield* codeOfOperation(() => sys.file(writable, read)),
      yield* codeOfOperation(() => sys.file(nothing, "rubbish" as never)),
      yield* codeOfOperation(() => sys.approve(sys.mailbox(), "?")),
      yield* codeOfOperation(() => sys.fetch(12_345 as Handle, { url: "http://a/" })),
    ];
    sys.revoke(root);
    return [...codes, yield* codeOfOperation(() => sys.file(readable, read))];
  });
  expect(codes).toEqual([
    "kernel.missing-right",
    "kernel.missing-right",
    "kernel.missing-right",
    "kernel.wrong-object",
    "kernel.dead-handle",
    "kernel.dead-handle",
  ]);
  expect(calls).toEqual([]);
});

test("SE2: no more calls than the concurrency are out, and those in line begin first come, first served", () => {
  const { kernel, clock } = createTestKernel();
  const { service, calls } = keeping("tool", 2);
  const tasks = askers(kernel, kernel.service(service), 5);
  expect(runToCompletion(kernel, clock)).toBe("stuck");
  expect(calls.map(({ request }) => request)).toEqual(tasks.slice(0, 2));
  for (let i = 0; i < calls.length; i++) calls[i]!.settle.ok(i);
  expect(calls.map(({ request }) => request)).toEqual(tasks);
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect(tasks.map((task) => kernel.exitOf(task))).toEqual(
    [0, 1, 2, 3, 4].map((value) => ({ kind: "ok", value })),
  );
});

test("SE3: a killed or cancelled call is stopped once, frees its place, and its late result is refused; one in line never begins", () => {
  const { kernel, clock } = createTestKernel();
  const { service, calls } = keeping("tool", 1);
  const [out, inLine, next] = askers(kernel, kernel.service(service), 3);
  runToCompletion(kernel, clock);
  kernel.cancel(inLine!);
  kernel.kill(out!);
  runToCompletion(kernel, clock);
  expect(calls.map(({ request, stopped }) => [request, stopped])).toEqual([
    [out, true],
    [next, false],
  ]);
  expect(calls[0]!.settle.ok("late")).toBe(false);
  expect(calls[1]!.settle.ok("in time")).toBe(true);
  expect(calls[1]!.settle.fail("twice")).toBe(false);
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect([out, inLine, next].map((task) => kernel.exitOf(task!)?.kind)).toEqual([
    "killed",
    "cancelled",
    "ok",
  ]);
});

test("SE3: who loses its right while its call is out is told at once, and the call is stopped", () => {
  const { kernel, clock } = createTestKernel();
  const { service, calls } = keeping("tool");
  const handle = kernel.service(service);
  const [loses] = askers(kernel, handle, 1);
  const keeps = kernel.spawn(
    function* (sys, first, second) {
      sys.drop(first!);
      return yield* sys.exec(second!, "kept");
    },
    { give: [handle, handle] },
  );
  runToCompletion(kernel, clock);
  const other = kernel.service(keeping("tool").service);
  kernel.grant(keeps, other, RIGHTS.exec);
  kernel.revoke(other);
  expect(calls.map(({ stopped }) => stopped)).toEqual([false, false]);
  kernel.revoke(handle);
  runToCompletion(kernel, clock);
  expect(calls.map(({ stopped }) => stopped)).toEqual([true, true]);
  for (const task of [loses!, keeps])
    expect(kernel.exitOf(task)).toMatchObject({ kind: "failed", error: { code: "kernel.dead-handle" } });
});

test("SE3: a service that throws fails the call alone, also one that waited in line, and gives its place back", () => {
  const { kernel, clock } = createTestKernel();
  const begun: unknown[] = [];
  let first: Settle<unknown> | undefined;
  const service: Service = {
    kind: "tool",
    name: "broken",
    concurrency: 1,
    perform(request, settle) {
      begun.push(request);
      if (begun.length === 2) throw new RangeError("out of order");
      first ??= settle;
      if (begun.length === 3) settle.ok("third");
      return undefined;
    },
  };
  const tasks = askers(kernel, kernel.service(service), 3);
  runToCompletion(kernel, clock);
  first!.ok("first");
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect(tasks.map((task) => kernel.exitOf(task))).toMatchObject([
    { kind: "ok", value: "first" },
    { kind: "failed", error: { message: "out of order" } },
    { kind: "ok", value: "third" },
  ]);
});

test("SE4: a call's key is its task's path and number, the same in every run", () => {
  const keys = (): string[] => {
    const { kernel, clock } = createTestKernel();
    const keys: string[] = [];
    const handle = kernel.service({
      kind: "tool",
      name: "key",
      perform: (_, settle, { key }) => {
        keys.push(key);
        settle.ok(null);
        return undefined;
      },
    });
    const twice: Program = function* (sys, tool) {
      yield* sys.exec(tool!, 1);
      yield* sys.exec(tool!, 1);
    };
    kernel.spawn(
      function* (sys, tool) {
        yield* sys.exec(tool!, 0);
        yield* sys.wait(sys.spawn(twice, { give: [tool!] }));
      },
      { give: [handle] },
    );
    runToCompletion(kernel, clock);
    return keys;
  };
  expect(keys()).toEqual(["/0#1", "/0/0#1", "/0/0#2"]);
  expect(keys()).toEqual(keys());
});

test("a dump names the service a task waits for, out or in line, and the endpoint a badged call waits at", () => {
  const { kernel, clock } = createTestKernel();
  askers(kernel, kernel.service({ ...keeping("tool", 1).service, name: "printer" }), 2);
  const endpoint = kernel.endpoint();
  kernel.spawn(
    function* (sys, endpoint) {
      const badged = sys.badge(endpoint!, 7);
      sys.spawn(
        function* (sys, target) {
          yield* sys.call(target!, "?");
        },
        { give: [badged] },
      );
      yield* sys.receive(endpoint!);
      yield* sys.sleep(1e6);
    },
    { give: [endpoint] },
  );
  kernel.runSlice();
  const waits = kernel.dumpState().tasks.map(({ waitsIn, waitsFor }) => `${waitsIn} ${waitsFor}`);
  expect(waits.slice(0, 2)).toEqual(['exec tool "printer"', 'exec tool "printer"']);
  expect(waits[3]).toMatch(/^call a reply through endpoint \d+$/);
  kernel.shutdown(0);
  expect(runToCompletion(kernel, clock)).toBe("ended");
});

test("S2, S3: the intent is journaled before the service hears of a call, its outcome after, and what it was asked nowhere", () => {
  const seen: string[] = [];
  const { kernel, clock } = createTestKernel(1, {
    journal: {
      intent: (_, op) => seen.push(`intent ${OPCODE_NAMES[op]}`),
      outcome: (_, op, value, failed) =>
        seen.push(`${failed ? "failure" : "outcome"} ${OPCODE_NAMES[op]} ${value}`),
    },
  });
  let later: Settle<unknown> | undefined;
  const handle = kernel.service({
    kind: "model",
    name: "model",
    perform: (request, settle) => {
      seen.push("performed");
      if (request === "at once") settle.fail(new RangeError("no"));
      else later = settle;
      return undefined;
    },
  });
  kernel.spawn(
    function* (sys, model) {
      yield* codeOfOperation(() => sys.model(model!, "at once"));
      yield* sys.model(model!, "a secret");
    },
    { give: [handle] },
  );
  runToCompletion(kernel, clock);
  later!.ok("answer");
  runToCompletion(kernel, clock);
  expect(seen).toEqual([
    "intent model",
    "performed",
    "failure model RangeError: no",
    "intent model",
    "performed",
    "outcome model answer",
  ]);
  expect(JSON.stringify([kernel.trace(), kernel.dumpState()])).not.toContain("a secret");
});

const LONG = "x".repeat(20_000);

test("RQ1: requests out of shape are refused before a service hears of them, and number no call", () => {
  const refused: Record<string, readonly unknown[]> = {
    http: [
      undefined,
      null,
      7,
      {},
      { url: "" },
      { url: LONG },
      { url: 1 },
      { url: "http://a/", method: "" },
      { url: "http://a/", method: "GET /\r\nX: y" },
      { url: "http://a/", method: 5 },
      { url: "http://a/", body: "text" },
      { url: "http://a/", headers: "no" },
      { url: "http://a/", headers: { "bad name": "1" } },
      { url: "http://a/", headers: { a: "1\r\nb: 2" } },
      { url: "http://a/", headers: { a: 1 } },
      { url: "http://a/", headers: { a: LONG, b: LONG, c: LONG, d: LONG } },
      { url: "http://a/", headers: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`h${i}`, ""])) },
    ],
    files: [
      undefined,
      {},
      { operation: "remove", path: "a" },
      { operation: "read" },
      { operation: "read", path: LONG },
      { operation: "read", path: "a", limitBytes: -1 },
      { operation: "read", path: "a", limitBytes: Number.NaN },
      { operation: "read", path: "a", limitBytes: 2 ** 40 },
      { operation: "write", path: "a" },
      { operation: "write", path: "a", content: "text" },
    ],
    approver: [undefined, "", 1, LONG],
  };
  for (const kind of ["http", "files", "approver"] as const) {
    const { service, calls } = keeping(kind);
    const name = { http: "fetch", files: "file", approver: "approve" }[kind];
    const codes = resultWith(service, function* (sys, handle) {
      const syscall = (sys as unknown as Record<string, (a: Handle, b: unknown) => Operation<unknown>>)[
        name
      ]!;
      const codes = new Set<string>();
      for (const request of refused[kind]!)
        codes.add(yield* codeOfOperation(() => syscall.call(sys, handle, request)));
      return codes;
    });
    expect(codes, kind).toEqual(new Set(["kernel.bad-option"]));
    expect(calls).toEqual([]);
  }
});

test("RQ1: what a caller changes after its call does not reach the service", () => {
  const body = Uint8Array.of(1, 2, 3);
  const headers: Record<string, string> = { a: "1" };
  const asked = { url: "http://a/", method: "POST", headers, body };
  const seen: unknown[] = [];
  const { kernel, clock } = createTestKernel();
  const handle = kernel.service({
    kind: "http",
    name: "late reader",
    perform: (request, settle) => {
      body[0] = 9;
      headers["a"] = "changed";
      seen.push(structuredClone(request));
      settle.ok(null);
      return undefined;
    },
  });
  kernel.spawn(
    function* (sys, http) {
      yield* sys.fetch(http!, asked);
    },
    { give: [handle] },
  );
  runToCompletion(kernel, clock);
  expect(seen).toEqual([
    { url: "http://a/", method: "POST", headers: { a: "1" }, body: Uint8Array.of(1, 2, 3) },
  ]);
});

test("a service of no kind, without a function or with a concurrency out of range is not offered", () => {
  const { kernel } = createTestKernel();
  const perform = () => undefined;
  const codes = [
    { kind: "printer", name: "a", perform },
    { kind: "constructor", name: "a", perform },
    { kind: "tool", name: "a" },
    ...[0, 65_537, 1.5, Number.NaN].map((concurrency) => ({ kind: "tool", name: "a", perform, concurrency })),
  ].map((service) => codeOf(() => kernel.service(service as never)));
  expect(new Set(codes)).toEqual(new Set(["kernel.bad-option"]));
  expect(kernel.dumpState().shell).toEqual([]);
});

test("services over ports: what the promise gives or fails with arrives, and its signal is raised when the task stops waiting", async () => {
  const { kernel, clock } = createTestKernel();
  const reasons: unknown[] = [];
  const never = (cancel: CancelSource | { onCancel(listener: (reason: unknown) => void): unknown }) =>
    new Promise<never>(() => cancel.onCancel((reason) => reasons.push(reason)));
  const give = [
    httpService({ fetch: async ({ url }) => ({ status: 200, headers: { url }, body: new Uint8Array() }) }),
    filesService({
      read: async (path, limitBytes) => new TextEncoder().encode(`${path} ${limitBytes}`),
      write: async () => undefined,
      list: async () => Promise.reject(new RangeError("no such folder")),
    }),
    modelService({ complete: async (request) => ({ said: request["prompt"] }) }),
    approverService({ decide: async (question) => ({ approved: question === "yes?", by: "test" }) }),
    toolService({ run: async (input, cancel, key) => (input === "never" ? never(cancel) : [input, key]) }),
  ].map((service) => kernel.service(service as Service));
  const task = kernel.spawn(
    asyncProgram(async (sys, http, files, model, approver, tool) => {
      const failed = await sys
        .file(files!, { operation: "list", path: "a" })
        .catch((error: unknown) => error);
      return [
        (await sys.fetch(http!, { url: "http://a/" })).headers,
        new TextDecoder().decode(await sys.file(files!, { operation: "read", path: "a" })),
        (failed as Error).message,
        await sys.file(files!, { operation: "write", path: "a", content: new Uint8Array(1) }),
        await sys.model(model!, { prompt: "p" }),
        await sys.approve(approver!, "yes?"),
        await sys.exec(tool!, "input"),
      ];
    }),
    { give },
  );
  const waiting = kernel.spawn(
    function* (sys, tool) {
      yield* sys.exec(tool!, "never");
    },
    { give: [give[4]!] },
  );
  for (let i = 0; i < 20; i++) await runWithMicrotasks(kernel, clock, turn).then(turn);
  expect(kernel.exitOf(task)).toEqual({
    kind: "ok",
    value: [
      { url: "http://a/" },
      "a 16777216",
      "no such folder",
      undefined,
      { said: "p" },
      { approved: true, by: "test" },
      ["input", "/0#7"],
    ],
  });
  kernel.kill(waiting);
  runToCompletion(kernel, clock);
  expect(reasons).toEqual(["the task stopped waiting"]);
});

test("a cancel source tells each listener once, also one that comes late, and none that left", () => {
  const source = new CancelSource();
  const heard: unknown[] = [];
  source.onCancel((reason) => heard.push(["first", reason]));
  source.onCancel((reason) => heard.push(["left", reason]))();
  source.cancel("why");
  source.cancel("again");
  source.onCancel((reason) => heard.push(["late", reason]))();
  expect(heard).toEqual([
    ["first", "why"],
    ["late", "why"],
  ]);
  expect([source.cancelled, source.reason]).toEqual([true, "why"]);
});

test("SE2, SE3: whatever is asked, settled and killed in any order, a service never has more out than it may and loses no place", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constant("ask" as const), at: fc.nat(20) }) },
    {
      weight: 3,
      arbitrary: fc.record({ what: fc.constantFrom("ok" as const, "fail" as const), at: fc.nat(20) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ what: fc.constantFrom("kill" as const, "cancel" as const), at: fc.nat(20) }),
    },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.array(step, { maxLength: 40 }), (most, steps) => {
      const { kernel, clock } = createTestKernel();
      const { service, calls } = keeping("tool", most);
      const handle = kernel.service(service);
      const tasks: TaskId[] = [];
      const settled = new Set<Reached>();
      const out = () => calls.filter((call) => !settled.has(call) && !call.stopped);
      for (const { what, at } of steps) {
        const open = out();
        if (what === "ask") tasks.push(...askers(kernel, handle, 1));
        else if (what === "kill" || what === "cancel") {
          const task = tasks[at % Math.max(1, tasks.length)];
          if (task !== undefined) kernel[what](task);
        } else if (open.length > 0) {
          const call = open[at % open.length]!;
          settled.add(call);
          expect(call.settle[what](what)).toBe(true);
        }
        runToCompletion(kernel, clock);
        expect(out().length).toBe(Math.min(most, kernel.liveTasks));
      }
      while (out().length > 0) {
        for (const call of out()) {
          settled.add(call);
          call.settle.ok(null);
        }
        runToCompletion(kernel, clock);
      }
      expect(kernel.liveTasks).toBe(0);
    }),
    { numRuns: 200 },
  );
});
