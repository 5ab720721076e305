/**
 * Whole mesh nodes in a simulation, each with a small program: it answers `echo`, and asks a random other node for it.
 *
 * MN1. Some time after the last fault every node that runs is a member, and sees exactly those that run as alive.
 * MN2. Then, whoever is asked for an echo answers with what it was given.
 * MN3. Whatever happens, an answer is the one to the question, from the node that was asked.
 */
import type { NodeId } from "@glia-os/abi/ids";
import {
  type Machine,
  MachineSockets,
  type MachinesSimulation,
  type MachinesWorld,
  SIMULATED_DIGESTS,
  type SimulateMachinesOptions,
  simulateAsync,
  simulatedSigner,
} from "@glia-os/sim";
import { createMemoryCoordination } from "@glia-os/store/memory";
import type { Mesh } from "../../src/index.ts";
import { SimulatedMesh, type SimulatedNode } from "../../src/testing/index.ts";

type Node = SimulatedNode<Machine<Uint8Array>>;

const CONVERGE_MS = 150_000;
const ASK_MS = 2000;
/** After so many questions in a row without an answer, when all is quiet, something is wrong. */
const UNANSWERED_MAX = 5;

/** Lets promises run. */
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

class MeshRun {
  /** On a network that loses all the time a member may be suspect for a moment. */
  readonly #lossy: boolean;
  readonly #unanswered = new Map<number, number>();
  readonly #ids: readonly NodeId[];
  #quiet = false;
  #wrong: string | undefined;
  readonly mesh: SimulatedMesh<Machine<Uint8Array>>;

  constructor(nodes: number, lossy: boolean) {
    this.#lossy = lossy;
    const idOf = (n: number): NodeId =>
      [...SIMULATED_DIGESTS.sha256(simulatedSigner(`node ${n}`).publicKey)]
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join("") as NodeId;
    this.#ids = Array.from({ length: nodes }, (_, n) => idOf(n));
    this.mesh = new SimulatedMesh({
      digests: SIMULATED_DIGESTS,
      signerOf: simulatedSigner,
      sockets: (machine) => new MachineSockets(machine),
      coordination: (clock) => createMemoryCoordination({ clock }),
      program: (mesh, machine) => this.#program(mesh, machine),
    });
  }

  #program(mesh: Mesh, { timers, random, index }: Machine<Uint8Array>): void {
    mesh.handle("echo", async (_, body) => Uint8Array.of(index, ...body));
    let asked = 0;
    const ask = async (): Promise<void> => {
      timers.schedule(ASK_MS, () => void ask());
      const others = mesh.members().filter(({ node, state }) => node !== mesh.self && state === "alive");
      const other = others[random.uint32() % Math.max(1, others.length)];
      if (other === undefined) return;
      const question = Uint8Array.of(index, asked++ & 255, 7);
      try {
        const answer = await mesh.call(other.node, "echo", question, { timeoutMs: ASK_MS });
        this.#unanswered.set(index, 0);
        if (answer.join() !== [this.#ids.indexOf(other.node), ...question].join())
          this.#wrong ??= `MN3: ${index} asked ${other.name} ${question.join()} and was answered ${answer.join()}`;
      } catch {
        const before = this.#unanswered.get(index) ?? 0;
        this.#unanswered.set(index, this.#quiet ? before + 1 : 0);
      }
    };
    timers.schedule(ASK_MS, () => void ask());
  }

  check({ nowMs, disturbedMs, calm, machines }: MachinesWorld<Node>): string | undefined {
    this.#quiet = calm && nowMs - disturbedMs > CONVERGE_MS;
    if (!this.#quiet || this.#wrong !== undefined) return this.#wrong;
    const running = machines.flatMap(({ index, process }) =>
      process === undefined || process.left ? [] : [index],
    );
    for (const index of running) {
      const node = machines[index]?.process;
      if (node?.started !== true) return `MN1: ${index} runs and is no member`;
      const alive = (node.mesh?.members() ?? [])
        .filter(({ state }) => state === "alive" || (this.#lossy && state === "suspect"))
        .map((member) => this.#ids.indexOf(member.node))
        .sort((a, b) => a - b);
      if (alive.join() !== running.join())
        return `MN1: ${index} sees ${alive.join()} alive, and ${running.join()} run`;
      if ((this.#unanswered.get(index) ?? 0) > UNANSWERED_MAX) return `MN2: nobody answers ${index}`;
    }
    return undefined;
  }
}

/** One run of whole nodes. */
export async function simulateMesh(
  options: Pick<
    SimulateMachinesOptions<Uint8Array, Node>,
    "seed" | "scenario" | "nodes" | "durationMs" | "faults" | "network"
  >,
): Promise<MachinesSimulation<Node>> {
  const run = new MeshRun(options.nodes, options.scenario === "lossy" || options.scenario === "chaos");
  const check = (world: MachinesWorld<Node>): string | undefined => run.check(world);
  return simulateAsync({ ...options, bootEveryMs: 100, boot: run.mesh.boot, check }, turn);
}

// Not those in which wall clocks jump: certificates allow them five minutes.
/** What goes wrong with whole nodes. */
const SCENARIOS = [
  "calm",
  "crash",
  "churn",
  "partition",
  "leave",
  "lossy",
  "stalls",
  "deaf",
  "one-way",
  "storm",
  "chaos",
] as const;
/** Small, so that a seed is quick. */
const NODES = 6;

/** What does not hold for a seed of whole nodes, in the scenario that the seed chooses; undefined when all does. */
export async function meshViolation(seed: number): Promise<string | undefined> {
  const scenario = SCENARIOS[seed % SCENARIOS.length] ?? "calm";
  const { violation } = await simulateMesh({ seed, scenario, nodes: NODES });
  return violation === undefined ? undefined : `${scenario}: ${violation.what} at ${violation.atMs} ms`;
}
