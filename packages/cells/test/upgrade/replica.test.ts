/** An owner dies around an upgrade, at every point of its log: whoever takes over has the old code or the new, and applied everything once (CU4). */
import { type AgentManifest, REPLICA_GRANTS } from "@glia-os/cells";
import { expect, test } from "vitest";
import { manifestOf } from "../host-under-test.ts";
import { AGENT, ReplicaHost } from "../replica/replica-host.ts";

const grants = ["glia.v1", REPLICA_GRANTS.hold];
const first: AgentManifest = manifestOf("tally", { grants });
const next: AgentManifest = { ...first, program: manifestOf("tally-next").program };
const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const said = ({ replies }: ReplicaHost): string[] =>
  replies.map(({ payload }) => new TextDecoder().decode(payload));

/** What a tally says that got 1 to `count` in order. */
function expected(label: string, count: number): string {
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  const total = numbers.reduce((sum, n) => sum + n, 0);
  const order = numbers.reduce((sum, n) => sum + n * n, 0);
  return `${label} ${count} ${total} ${order}`;
}

/** Ask it to add numbers up to and including `to`, each by the ask of that number. */
async function add(host: ReplicaHost, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) expect(host.ask(n, text(`add ${n}`))).toBe("accepted");
  await host.run();
}

async function settled<Result>(host: ReplicaHost, work: Promise<Result>): Promise<Result> {
  let over = false;
  const done = work.finally(() => {
    over = true;
  });
  done.catch(() => undefined);
  while (!over) await host.run();
  return done;
}

/** An owner whose agent got 1 to 10, all held, with a checkpoint at 4. */
async function owner(): Promise<ReplicaHost> {
  const host = new ReplicaHost(1);
  await host.start(first);
  await host.checkpoint(true);
  await add(host, 1, 4);
  await host.checkpoint(true);
  await add(host, 5, 10);
  host.hold(host.entries.length);
  return host;
}

/** Somebody who takes over from a copy, and gets what was sent again and one message more. */
async function takesOver(
  copy: ReturnType<ReplicaHost["copy"]>,
  from: number,
  to: number,
): Promise<string | undefined> {
  const host = new ReplicaHost(2);
  await host.adopt(copy);
  for (let n = from; n <= to; n++) host.ask(n, text(`add ${n}`));
  await host.run();
  host.hold(host.entries.length);
  expect(host.ends).toEqual([]);
  return said(host).at(-1);
}

test("before the code is exchanged a replica has all that the old code said; until it has a copy of the new code it goes on with the old, and nobody heard the new", async () => {
  const host = await owner();
  const old = host.copy(first, host.entries.length);
  await settled(host, host.upgrades.upgrade(AGENT, { program: next.program }));
  expect(host.feeds).toBe(2);
  await add(host, 11, 15);
  // The new code ran, and none of its five answers left.
  expect(said(host)).toHaveLength(10);
  expect(await takesOver(old, 9, 16)).toBe(expected("v1", 16));
});

test("once the replica has a copy of the new code, what it acknowledged goes on in the new code from every point of the log", async () => {
  const host = await owner();
  await settled(host, host.upgrades.upgrade(AGENT, { program: next.program }));
  await host.checkpoint(true);
  const point = host.entries.length;
  await add(host, 11, 15);
  host.hold(host.entries.length);
  expect(said(host).at(-1)).toBe(expected("v2", 15));
  for (let position = point; position <= host.entries.length; position++)
    expect([position, await takesOver(host.copy(next, position), 11, 16)]).toEqual([
      position,
      expected("v2", 16),
    ]);
});

test("what the old code said and the replica does not have yet keeps its code from being exchanged", async () => {
  const host = await owner();
  await add(host, 11, 11);
  const work = host.upgrades.upgrade(AGENT, { program: next.program });
  let over = false;
  void work.finally(() => {
    over = true;
  });
  for (let turn = 0; turn < 5; turn++) await host.run();
  expect([over, host.feeds]).toEqual([false, 1]);
  host.hold(host.entries.length);
  expect((await settled(host, work)).to.version).toBe(2);
  expect(said(host).at(-1)).toBe(expected("v1", 11));
});
