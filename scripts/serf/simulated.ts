/** The same kills in simulation: the shipped membership with the same parameters, on a network like loopback. */
import { DetectionTimes, membershipSimulation } from "@glia-os/mesh-core/testing";
import { type MachineFault, SIMULATED_DIGESTS, simulate, simulatedSigner } from "@glia-os/sim";

const SETTLED_MS = 30_000;
const APART_MS = 25_000;

/** First and last detection of each kill of one seed, in milliseconds after it. */
export function simulatedKills(
  size: number,
  kills: number,
  seed: number,
): { readonly firstMs: number; readonly allMs: number; readonly heard: number }[] {
  const times = new DetectionTimes();
  const parts = membershipSimulation({
    machines: size,
    digests: SIMULATED_DIGESTS,
    signerOf: simulatedSigner,
    parameters: "lan",
    onEvent: (viewer, event) => {
      if (event.kind === "memberDead")
        times.note(viewer, parts.cluster.indexOf(event.member.node), parts.cluster.nowOf(viewer));
    },
  });
  const { boot } = parts;
  const faults = Array.from(
    { length: kills },
    (_, i): MachineFault => ({ kind: "crash", machine: size - 1 - i, atMs: SETTLED_MS + i * APART_MS }),
  );
  const durationMs = SETTLED_MS + (kills + 1) * APART_MS;
  simulate({ seed, nodes: size, boot, faults, durationMs, network: { delayMs: 0.1, jitterMs: 0.1 } });
  return faults.flatMap((fault) => {
    const seen = fault.kind === "crash" ? times.of(fault.machine, fault.atMs) : undefined;
    return seen === undefined ? [] : [{ firstMs: seen.firstMs, allMs: seen.allMs, heard: seen.viewers }];
  });
}
