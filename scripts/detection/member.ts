/**
 * One member of a mesh in a process of its own: the wire and the mesh, no agents. What it sees of others it tells the process that started
 * it, and it ends with that process. The founder's engine is in memory: nothing here outlives the processes.
 */
import { createSystemClock, createSystemDigests, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { type ClusterStart, createMesh, type Member, type Mesh } from "@glia-os/mesh-core";
import { createNodeIdentity, createWireTransport } from "@glia-os/mesh-wire";
import { createMemoryCoordination } from "@glia-os/store/memory";
import type { FromMember, MemberStart, ToMember, View } from "./member-words.ts";

const JOIN_MS = 60_000;
const LINE_TTL_MS = 3_600_000;
const VIEWS: Readonly<Record<string, View>> = {
  memberUp: "alive",
  memberSuspect: "suspect",
  memberDead: "dead",
  memberLeft: "left",
};

/** The process that started this one may be gone: then this one ends too, and nobody is left to tell. */
function tell(message: FromMember): void {
  process.send?.(message, undefined, {}, () => {});
}

function meshOf({ name, profile, bind, certificateMs, joinLine }: MemberStart): Mesh {
  const [clock, timers, random] = [createSystemClock(), createSystemTimers(), createSystemRandom()];
  const identity = createNodeIdentity();
  const founder = joinLine === undefined;
  const start: ClusterStart = founder
    ? { kind: "found", clusterSigner: createNodeIdentity() }
    : { kind: "join", line: joinLine };
  const validity = certificateMs === undefined ? {} : { certificateValidityMs: certificateMs };
  const ports = {
    transport: createWireTransport({ identity, clock, timers, random, ...validity }),
    ...{ clock, timers, random, signer: identity, digests: createSystemDigests() },
    ...(founder ? { coordination: createMemoryCoordination({ clock }) } : {}),
  };
  return createMesh(ports, {
    ...{ name, role: "core", start, bind, membership: profile, parts: "members" },
    bootEpoch: clock.wallMs(),
    joinTimeoutMs: JOIN_MS,
  });
}

async function begin(start: MemberStart): Promise<Mesh> {
  const mesh = meshOf(start);
  mesh.handle("echo", async (_caller, body) => body);
  mesh.onEvent((event) => {
    if (event.kind === "sessionDown") tell({ kind: "session-down", reason: event.reason });
    const state = VIEWS[event.kind];
    if (state === undefined || !("member" in event)) return;
    tell({ kind: "view", of: event.member.name, state, incarnation: event.member.incarnation });
  });
  await mesh.start();
  const joinLine =
    start.joinLine === undefined
      ? mesh.createJoinLine({ ttlMs: LINE_TTL_MS, uses: Math.max(1, start.uses) })
      : undefined;
  tell({ kind: "ready", address: mesh.address ?? start.bind, joinLine });
  return mesh;
}

let running: Promise<Mesh> | undefined;
let talking = false;

async function talk(mesh: Mesh): Promise<void> {
  const others = mesh.members().filter(({ node }) => node !== mesh.self);
  for (let i = 0; talking; i++) {
    const { node } = others[i % others.length] as Member;
    const body = Uint8Array.of(i & 255);
    const failed = await mesh.call(node, "echo", body).then(
      ([answer]) => (answer === body[0] ? undefined : "another answer"),
      (error: unknown) => String(error),
    );
    tell({ kind: "called", failed });
  }
}

process.on("message", (message: ToMember) => {
  talking = message.kind === "talk";
  if (talking) void running?.then(talk);
  if (message.kind !== "start") return;
  running = begin(message.start);
  running.catch((error: unknown) => tell({ kind: "failed", why: String(error) }));
});
process.once("disconnect", () => process.exit());
