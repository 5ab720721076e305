/** The runner of a node's cells as the gate sees it: on another thread. */
import type { CellRunnerPort, KeptCells, ReplicaRunnerPort } from "@glia-os/cells";
import { movedCopy, movedWhole, type ThreadLink } from "./thread-call.ts";

/** Messages are told one-way, in order with the calls (RP1); bytes that the gate gives up are moved. */
export function runnerOverThread({
  remote,
  tell,
}: ThreadLink<CellRunnerPort & ReplicaRunnerPort>): CellRunnerPort & ReplicaRunnerPort {
  return {
    admit: (program, grants, kind) => remote.admit(program, grants, kind),
    start: (agent, manifest, first) => remote.start(agent, manifest, first),
    deliver: (agent, item) => tell.deliver(agent, { ...item, payload: movedCopy(item.payload) }),
    freeze: (agent, timeoutMs, leaves) => remote.freeze(agent, timeoutMs, leaves),
    readAhead: (agent, leastBytes) => remote.readAhead(agent, leastBytes),
    stopAhead: (agent) => remote.stopAhead(agent),
    readImage: (agent) => remote.readImage(agent),
    thaw: (agent) => remote.thaw(agent),
    expect: (agent, manifest) => remote.expect(agent, manifest),
    stage: (agent, ahead) => remote.stage(agent, ahead),
    // It came over the wire for this, and whoever hands it on looks at it no more (ImageWrites).
    writeImage: (agent, chunk) => remote.writeImage(agent, movedWhole(chunk)),
    finishImage: (agent, mail) => remote.finishImage(agent, mail),
    activate: (agent) => remote.activate(agent),
    drop: (agent) => remote.drop(agent),
    vitals: (agent) => remote.vitals(agent),
    checkpoint: (agent, number, whole) => tell.checkpoint(agent, number, whole),
    readCheckpoint: (agent, number) => remote.readCheckpoint(agent, number),
    heldUpTo: (agent, number) => tell.heldUpTo(agent, number),
    rebuild: (agent, manifest, from, mail) => remote.rebuild(agent, manifest, from, mail),
  };
}

/** The durable cells behind it. A message is copied, for a call cannot give its bytes up before it is answered. */
export function keptOverThread({ remote }: ThreadLink<KeptCells>): KeptCells {
  return {
    accept: (agent, item) => remote.accept(agent, item),
    links: (agent) => remote.links(agent),
    recover: (agent, manifest) => remote.recover(agent, manifest),
    stored: () => remote.stored(),
    forget: (agent) => remote.forget(agent),
  };
}
