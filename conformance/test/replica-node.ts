/**
 * A member of a replicated journal in a process of its own: files, sessions over mutual TLS, and the row of the group in etcd. It does what it
 * is told over IPC, and ends with the process that started it.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { Coordination, NodeSession } from "@glia-os/abi/ports";
import { createSystemClock, createSystemDigests, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { createMesh, type Mesh } from "@glia-os/mesh-core";
import { createNodeIdentity, createWireTransport, loadOrCreateNodeIdentity } from "@glia-os/mesh-wire";
import { openEtcdCoordination } from "@glia-os/store/etcd-coordination";
import { openFileJournal } from "@glia-os/store/journal";
import {
  answerReplicaCalls,
  openReplicaJournal,
  type ReplicaJournal,
  ReplicaMember,
  replicaOverCalls,
} from "@glia-os/store/journal-replica";
import { openSqliteKeyValue } from "@glia-os/store/key-value";
import { createMemoryCoordination } from "@glia-os/store/memory";

/** What a member is told; each is answered with `{ did, ... }` or `{ did, failed, code }`. */
export type Order =
  | { readonly do: "start"; readonly name: string; readonly folder: string; readonly joinLine?: string }
  /** Take part in the group; its disk is what it was. */
  | { readonly do: "follow"; readonly members: readonly NodeId[]; readonly etcd: string }
  | { readonly do: "lead" }
  /** Append records until there are so many; tells of each that was acknowledged. */
  | { readonly do: "append"; readonly upTo: number }
  | { readonly do: "read" }
  | { readonly do: "mend" };

const GROUP = "orders";
const DOMAIN = "d";
const [clock, timers, random] = [createSystemClock(), createSystemTimers(), createSystemRandom()];

let folder: string;
let mesh: Mesh;
let member: ReplicaMember;
let members: readonly NodeId[] = [];
let coordination: Coordination;
let session: NodeSession;
let led: ReplicaJournal;

async function start({ name, joinLine, ...place }: Order & { readonly do: "start" }): Promise<object> {
  ({ folder } = place);
  mkdirSync(folder, { recursive: true });
  const signer = await loadOrCreateNodeIdentity(join(folder, "identity.pem"), random);
  const founder = joinLine === undefined;
  mesh = createMesh(
    {
      transport: createWireTransport({ identity: signer, clock, timers, random }),
      ...{ clock, timers, random, signer, digests: createSystemDigests() },
      ...(founder ? { coordination: createMemoryCoordination({ clock }) } : {}),
    },
    {
      ...{ name, role: "core", parts: "members", bootEpoch: clock.wallMs() },
      start: founder
        ? { kind: "found", clusterSigner: createNodeIdentity() }
        : { kind: "join", line: joinLine },
      bind: { host: "127.0.0.1", port: 0 },
    },
  );
  await mesh.start();
  const line = founder ? mesh.createJoinLine({ ttlMs: 600_000, uses: 10 }) : undefined;
  return { node: mesh.self, line };
}

async function follow({ members: all, etcd }: Order & { readonly do: "follow" }): Promise<object> {
  members = all;
  member = new ReplicaMember({
    group: GROUP,
    members,
    journal: await openFileJournal({ folder: join(folder, "journal") }),
    control: await openSqliteKeyValue({ path: join(folder, "control.db") }),
  });
  answerReplicaCalls(mesh, [member]);
  coordination = await openEtcdCoordination({ endpoints: [etcd], clock });
  session = await coordination.openSession(mesh.self, 600_000, `${mesh.self.slice(0, 16)}-${clock.wallMs()}`);
  return {};
}

async function lead(): Promise<object> {
  const port = replicaOverCalls(mesh);
  led = await openReplicaJournal({ group: GROUP, members, copies: 1, session, coordination, member, port });
  return { next: (await led.head(DOMAIN))?.nextSeq ?? 1 };
}

async function append({ upTo }: Order & { readonly do: "append" }): Promise<object> {
  for (let seq = (await led.head(DOMAIN))?.nextSeq ?? 1; seq <= upTo; seq++) {
    await led.append({
      domain: DOMAIN,
      epoch: 1,
      firstSeq: seq,
      count: 1,
      body: Buffer.from(`record ${seq}`),
    });
    process.send?.({ acknowledged: seq });
  }
  return {};
}

async function read(): Promise<object> {
  const records: string[] = [];
  for await (const { body } of led.read(DOMAIN, 1)) records.push(Buffer.from(body).toString());
  return { records };
}

function perform(order: Order): Promise<object> {
  switch (order.do) {
    case "start":
      return start(order);
    case "follow":
      return follow(order);
    case "lead":
      return lead();
    case "append":
      return append(order);
    case "read":
      return read();
    case "mend":
      return led.mend().then((following) => ({ following }));
  }
}

process.on("message", (order: Order) => {
  perform(order).then(
    (result) => process.send?.({ did: order.do, ...result }),
    (error: unknown) => process.send?.({ did: order.do, failed: String(error), code: errorCodeOf(error) }),
  );
});
process.once("disconnect", () => process.exit());
