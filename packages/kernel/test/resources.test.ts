import { RIGHTS } from "@glia-os/abi/syscalls";
import { after, type Device, type Handle, type Resource, readableOf } from "@glia-os/kernel";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { expect, test } from "vitest";
import { codeOf } from "./run.ts";

interface Bench {
  readonly kernel: ReturnType<typeof createTestKernel>["kernel"];
  readonly rest: () => void;
  readonly resource: Resource;
  readonly handle: Handle;
  readonly closed: string[];
  readonly stock: string[];
}

/** A kernel with one resource whose device hands out what lies in `stock` and takes up to 3 units. */
function bench(device: Partial<Device> = {}): Bench {
  const { kernel, clock } = createTestKernel();
  const [closed, stock]: string[][] = [[], []];
  const resource = kernel.resource({
    name: "bench",
    read: () => stock!.shift(),
    write: (data) => Math.min(3, String(data).length),
    close: () => void closed!.push("closed"),
    ...device,
  });
  const handle = kernel.open(resource);
  return {
    kernel,
    rest: () => runToCompletion(kernel, clock),
    resource,
    handle,
    closed: closed!,
    stock: stock!,
  };
}

test("D1: every task that waits is woken, and who comes too late finds nothing (seed defect: lost second waiter)", () => {
  const { kernel, rest, resource, handle, stock } = bench();
  const woken: string[] = [];
  for (const name of ["first", "second", "third"])
    kernel.spawn(
      function* (sys, source: Handle) {
        yield* sys.readWait(source);
        woken.push(`${name} ${sys.readFrom<string>(source, 1) ?? "nothing"}`);
      },
      { give: [handle] },
    );
  rest();
  expect(woken).toEqual([]);
  stock.push("data");
  resource.setReadable(true);
  rest();
  expect(woken).toEqual(["first data", "second nothing", "third nothing"]);
});

test("D1: a wait for what is ready goes on at once", () => {
  const { kernel, rest, resource, handle } = bench();
  resource.setWritable(true);
  const task = kernel.spawn(
    function* (sys, target: Handle) {
      yield* sys.writeWait(target);
      return sys.writeTo(target, "abcdef");
    },
    { give: [handle] },
  );
  rest();
  expect(kernel.exitOf(task)).toEqual({ kind: "ok", value: 3 });
});

test("D2: closing wakes readers, writers and selects with a typed error, and later uses are refused", () => {
  const { kernel, rest, resource, handle, closed } = bench();
  const codes: string[] = [];
  const waits: ((sys: Parameters<Parameters<typeof kernel.spawn>[0]>[0], h: Handle) => Iterable<never>)[] = [
    (sys, h) => sys.readWait(h) as never,
    (sys, h) => sys.writeWait(h) as never,
    (sys, h) => sys.select([after(1e6), readableOf(h)]) as never,
  ];
  for (const wait of waits)
    kernel.spawn(
      function* (sys, h: Handle) {
        try {
          yield* wait(sys, h);
        } catch (error) {
          codes.push((error as { code: string }).code);
        }
        codes.push(codeOf(() => sys.readFrom(h, 1)));
      },
      { give: [handle] },
    );
  kernel.runSlice();
  resource.close();
  resource.close();
  rest();
  expect(codes).toEqual(new Array(6).fill("kernel.resource-closed"));
  expect(closed).toEqual(["closed"]);
  expect(codeOf(() => kernel.open(resource))).toBe("kernel.resource-closed");
});

test("D3: the device is closed when the last capability ends, also by a kill", () => {
  const { kernel, rest, handle, closed } = bench();
  const task = kernel.spawn(
    function* (sys, h: Handle) {
      yield* sys.readWait(h);
    },
    { give: [handle] },
  );
  rest();
  kernel.drop(handle);
  expect(closed).toEqual([]);
  kernel.kill(task);
  rest();
  expect(closed).toEqual(["closed"]);
});

test("rights: reading needs read, writing write, closing revoke", () => {
  const { kernel, rest, handle } = bench();
  const codes: string[] = [];
  kernel.spawn(
    function* (sys, reader: Handle, writer: Handle) {
      codes.push(codeOf(() => sys.writeTo(reader, "x")));
      codes.push(codeOf(() => sys.readFrom(writer, 1)));
      codes.push(codeOf(() => sys.closeResource(writer)));
      codes.push(codeOf(() => sys.readFrom(reader, 0)));
      codes.push(codeOf(() => sys.readFrom(sys.mailbox() as Handle, 1)));
      yield* sys.writeWait(reader);
    },
    {
      give: [
        { handle, rights: RIGHTS.read },
        { handle, rights: RIGHTS.write },
      ],
    },
  );
  rest();
  expect(codes).toEqual([
    "kernel.missing-right",
    "kernel.missing-right",
    "kernel.missing-right",
    "kernel.bad-option",
    "kernel.wrong-object",
  ]);
});

test("a device that cannot write gives no right to", () => {
  const { kernel, clock } = createTestKernel();
  const source = kernel.open(kernel.resource({ name: "source", read: () => 1, close: () => undefined }));
  const task = kernel.spawn(
    function* (sys, h: Handle) {
      return codeOf(() => sys.writeTo(h, "x"));
    },
    { give: [source] },
  );
  runToCompletion(kernel, clock);
  expect(kernel.exitOf(task)).toEqual({ kind: "ok", value: "kernel.missing-right" });
});

test("revoking the right under a task that waits wakes it with a dead handle", () => {
  const { kernel, rest, handle } = bench();
  const task = kernel.spawn(
    function* (sys, h: Handle) {
      yield* sys.readWait(h);
    },
    { give: [handle] },
  );
  rest();
  kernel.revoke(handle);
  rest();
  expect(kernel.exitOf(task)).toMatchObject({ kind: "failed", error: { code: "kernel.dead-handle" } });
});

test("a resource that a device gives becomes a handle of the task that read it, and of nobody else", () => {
  const { kernel, clock } = createTestKernel();
  const closed: string[] = [];
  const inner = kernel.resource({
    name: "inner",
    read: () => "inside",
    close: () => void closed.push("inner"),
  });
  const listener = kernel.resource({ name: "outer", read: () => inner, close: () => undefined });
  const task = kernel.spawn(
    function* (sys, h: Handle) {
      const connection = sys.readFrom<Handle>(h, 1)!;
      return sys.readFrom<string>(connection, 1);
    },
    { give: [kernel.open(listener)] },
  );
  runToCompletion(kernel, clock);
  expect(kernel.exitOf(task)).toEqual({ kind: "ok", value: "inside" });
  expect(closed).toEqual(["inner"]);
});
