/**
 * What must hold of membership in every simulated run (docs/simulation.md has the list):
 *
 * M1. A member that runs and is connected is alive in all views, `convergeMs` after the last fault.
 * M2. A crashed member is dead in all views then; one that left is left or forgotten.
 * M3. Healthy members are declared dead by healthy members at most `healthyDeathsMax` times. Healthy: untouched by any fault for 60 s.
 * M4. In each view, (boot epoch, incarnation) of a member never decreases.
 * M5. No view has a higher (boot epoch, incarnation) of a member than that member itself ever had: only the subject raises it.
 * M6. Both halves of a partition see each other again: M1 after it.
 * M7. Machines that hear nothing, or run for moments only, make at most `falseViewsMax` healthy views of healthy members wrong.
 * M8. At rest a member sends at most `idlePerSecondMax` messages per second.
 * M9. A member that left is not seen alive again under the same boot epoch.
 */
import type { Member, MemberState, MeshEvent } from "../mesh-types.ts";
import type { SimulatedMember, SimulatedMembership } from "./simulated-membership.ts";

/** A run as the checker sees it. Every simulator's world that has this fits. */
export interface MembershipWorld {
  readonly nowMs: number;
  readonly disturbedMs: number;
  readonly calm: boolean;
  readonly faults: readonly unknown[];
  readonly machines: readonly {
    readonly index: number;
    readonly generation: number;
    readonly process: SimulatedMember | undefined;
  }[];
}

/** Bounds of one kind of run. */
export interface MembershipBounds {
  /** Default 120,000 for the profile `lan`: reconnection, a push-pull, the longest suspicion. In proportion for slower ones. */
  readonly convergeMs?: number;
  /** Default 0. */
  readonly healthyDeathsMax?: number;
  /** Healthy members that healthy ones may believe dead, whoever declared them. Default 0. */
  readonly falseViewsMax?: number;
  /** Messages per second and member at rest. Default 6, for the profile `lan`. */
  readonly idlePerSecondMax?: number;
  /** Whether a running member may be suspect, because the network loses all the time. Default false. */
  readonly lossy?: boolean;
  /** Whether members count as healthy in bad weather, so that the false deaths it causes are counted (M3, M7). Default false. */
  readonly healthyInWeather?: boolean;
}

const RECOVERY_MS = 60_000;
const REST_MS = 30_000;
/** Statements that a member passes on per second at least: three in each of three datagrams in each of five gossip rounds. */
const PASSED_PER_SECOND = 45;

/** Who believed or declared whom dead, when by its own clock. */
interface Death {
  readonly by: number;
  readonly subject: number;
  readonly atMs: number;
}

/** What one boot of a viewer was seen to believe, by subject. In arrays: there are as many beliefs as pairs of members. */
interface Beliefs {
  readonly generation: number;
  /** The view's revision when it was looked at last. */
  revision: number;
  /** 0: nothing yet. */
  readonly bootEpoch: Float64Array;
  readonly incarnation: Float64Array;
  readonly left: Uint8Array;
}

/** A member as a viewer sees it. */
type Row = ReturnType<SimulatedMember["changedSince"]> extends Iterable<infer Item> ? Item : never;

/** Checks one run; make a new one for every run. Feed it the events, ask it at every check. */
export class MembershipChecker {
  readonly #cluster: SimulatedMembership;
  readonly #bounds: Required<MembershipBounds>;
  readonly #beliefs: Beliefs[] = [];
  /** By viewer: its revision and the truth it agreed with. */
  readonly #agreed: { readonly revision: number; readonly truth: string }[] = [];
  readonly #highest = new Map<number, { bootEpoch: number; incarnation: number }>();
  readonly #sent = new Map<number, { readonly atMs: number; readonly sent: number }>();
  #touched: readonly (readonly [number, number])[][] | undefined;
  readonly #declared: Death[] = [];
  readonly #believed: Death[] = [];
  /** How often a healthy member was declared dead by a healthy one so far (M3). */
  healthyDeaths = 0;
  /** How often a healthy member believed a healthy one dead, whoever declared it: one death counts once per view. */
  falseViews = 0;
  /** The highest rate seen at rest, messages per second and member (M8). */
  idlePerSecond = 0;

  constructor(cluster: SimulatedMembership, bounds: MembershipBounds = {}) {
    this.#cluster = cluster;
    this.#bounds = {
      convergeMs: 120_000 * Math.max(1, cluster.parameters.probeIntervalMs / 1000),
      healthyDeathsMax: 0,
      falseViewsMax: 0,
      idlePerSecondMax: 6,
      lossy: false,
      healthyInWeather: false,
      ...bounds,
    };
  }

  /** An event of a member. */
  heard(viewer: number, event: MeshEvent): void {
    if (event.kind !== "memberDead") return;
    const subject = this.#cluster.indexOf(event.member.node);
    this.#believed.push({ by: viewer, subject, atMs: this.#cluster.nowOf(viewer) });
  }

  /** An accusation by its accuser. */
  accused(accuser: number, subject: number, verdict: "suspect" | "dead"): void {
    if (verdict !== "dead") return;
    this.#declared.push({ by: accuser, subject, atMs: this.#cluster.nowOf(accuser) });
  }

  /** The first property that does not hold, as a sentence; undefined when all do. */
  check(world: MembershipWorld): string | undefined {
    this.#countDeaths(world);
    if (this.healthyDeaths > this.#bounds.healthyDeathsMax)
      return `M3: healthy members were declared dead by healthy ones ${this.healthyDeaths} times; at most ${this.#bounds.healthyDeathsMax} are allowed`;
    if (this.falseViews > this.#bounds.falseViewsMax)
      return `M7: healthy members believed healthy ones dead ${this.falseViews} times; at most ${this.#bounds.falseViewsMax} are allowed`;
    return this.#versions(world) ?? this.#converged(world) ?? this.#rate(world);
  }

  #versions(world: MembershipWorld): string | undefined {
    // Those that crashed between two checks spoke as well.
    for (const { index, member } of this.#cluster.boots) this.#raise(index, member.self());
    for (const { index, generation, process } of world.machines) {
      if (process === undefined) continue;
      const beliefs = this.#beliefsOf(index, generation, world.machines.length);
      // What did not change was looked at before, and nobody takes back a version.
      if (beliefs.revision === process.revision) continue;
      for (const row of process.changedSince(beliefs.revision)) {
        const wrong = this.#version(index, beliefs, row);
        if (wrong !== undefined) return wrong;
      }
      beliefs.revision = process.revision;
    }
    return undefined;
  }

  #beliefsOf(viewer: number, generation: number, machines: number): Beliefs {
    const known = this.#beliefs[viewer];
    if (known !== undefined && known.generation === generation) return known;
    const beliefs = {
      generation,
      revision: -1,
      bootEpoch: new Float64Array(machines),
      incarnation: new Float64Array(machines),
      left: new Uint8Array(machines),
    };
    this.#beliefs[viewer] = beliefs;
    return beliefs;
  }

  #version(viewer: number, beliefs: Beliefs, row: Row): string | undefined {
    const subject = this.#cluster.indexOf(row.node);
    const { record, state } = row;
    const { bootEpoch, incarnation } = record;
    const before = {
      bootEpoch: beliefs.bootEpoch[subject] as number,
      incarnation: beliefs.incarnation[subject] as number,
    };
    const hadLeft = beliefs.left[subject] === 1;
    beliefs.bootEpoch[subject] = bootEpoch;
    beliefs.incarnation[subject] = incarnation;
    beliefs.left[subject] = state === "left" ? 1 : 0;
    const highest = this.#highest.get(subject);
    if (highest === undefined || older(highest, record))
      return `M5: ${viewer} has ${name(subject, record)}, which ${subject} never said`;
    if (before.bootEpoch === 0) return undefined;
    if (older(record, before))
      return `M4: ${viewer} went back from ${name(subject, before)} to ${name(subject, record)}`;
    if (hadLeft && state !== "left" && before.bootEpoch === bootEpoch)
      return `M9: ${viewer} sees ${name(subject, record)} ${state}, which had left`;
    return undefined;
  }

  #raise(index: number, own: Member | undefined): void {
    if (own === undefined) return;
    const highest = this.#highest.get(index);
    if (highest !== undefined && !older(highest, own)) return;
    this.#highest.set(index, { bootEpoch: own.bootEpoch, incarnation: own.incarnation });
  }

  #converged(world: MembershipWorld): string | undefined {
    if (!world.calm || world.nowMs - world.disturbedMs < this.#bounds.convergeMs) return undefined;
    const truth = this.#truth(world);
    for (const viewer of world.machines) {
      if (viewer.process === undefined || viewer.process.left) continue;
      const { revision } = viewer.process;
      const agreed = this.#agreed[viewer.index];
      if (agreed?.revision === revision && agreed.truth === truth) continue;
      const views: Row[] = [];
      for (const row of viewer.process.changedSince(0)) views[this.#cluster.indexOf(row.node)] = row;
      for (const { index, process } of world.machines) {
        const seen = views[index];
        const runs = process !== undefined && !process.left;
        const good = runs ? this.#seenAlive(seen, process) : seen === undefined || isGone(seen.state);
        if (!good) return this.#notConverged(viewer.index, index, seen, process);
      }
      this.#agreed[viewer.index] = { revision, truth };
    }
    return undefined;
  }

  /** Who runs, under which boot. */
  #truth({ machines }: MembershipWorld): string {
    return machines
      .map(({ process, generation }) => (process === undefined ? "-" : process.left ? "left" : generation))
      .join(" ");
  }

  #seenAlive(seen: Row | undefined, process: SimulatedMember): boolean {
    if (seen === undefined || seen.record.bootEpoch !== process.self()?.bootEpoch) return false;
    return seen.state === "alive" || (this.#bounds.lossy && seen.state === "suspect");
  }

  #notConverged(
    viewer: number,
    subject: number,
    seen: Row | undefined,
    process: SimulatedMember | undefined,
  ): string {
    const runs = process !== undefined && !process.left;
    const what = seen === undefined ? "does not know" : `sees as ${seen.state}`;
    const is = runs ? "which runs" : process === undefined ? "which crashed" : "which left";
    return `${runs ? "M1" : "M2"}: ${this.#bounds.convergeMs} ms after the last fault, ${viewer} ${what} ${subject}, ${is}`;
  }

  #rate(world: MembershipWorld): string | undefined {
    const resting = world.calm && world.nowMs - world.disturbedMs >= RECOVERY_MS + this.#newsMs();
    for (const { index, process } of world.machines) {
      if (!resting || process === undefined) {
        this.#sent.delete(index);
        continue;
      }
      const from = this.#sent.get(index);
      if (from === undefined) this.#sent.set(index, { atMs: world.nowMs, sent: process.sent });
      else if (world.nowMs - from.atMs >= REST_MS) {
        const perSecond = ((process.sent - from.sent) * 1000) / (world.nowMs - from.atMs);
        this.idlePerSecond = Math.max(this.idlePerSecond, perSecond);
        this.#sent.delete(index);
        if (perSecond > this.#bounds.idlePerSecondMax && !this.#bounds.lossy)
          return `M8: at rest ${index} sends ${perSecond} messages per second; at most ${this.#bounds.idlePerSecondMax} are allowed`;
      }
    }
    return undefined;
  }

  /** In so long every member has passed on a record of every other as often as it ever does; M8 begins after it. */
  #newsMs(): number {
    const { ids, parameters } = this.#cluster;
    const times = parameters.retransmitMult * String(ids.length).length;
    return ((ids.length * times) / PASSED_PER_SECOND) * parameters.gossipIntervalMs * 5;
  }

  #countDeaths(world: MembershipWorld): void {
    const left = (subject: number): boolean => world.machines[subject]?.process?.left === true;
    const healthy = (deaths: Death[]): number =>
      deaths
        .splice(0)
        .filter(
          ({ by, subject, atMs }) =>
            !left(subject) && this.#healthy(world, subject, atMs) && this.#healthy(world, by, atMs),
        ).length;
    this.healthyDeaths += healthy(this.#declared);
    this.falseViews += healthy(this.#believed);
  }

  #touching(faults: readonly AnyFault[]): readonly AnyFault[] {
    return this.#bounds.healthyInWeather ? faults.filter(({ kind }) => kind !== "weather") : faults;
  }

  /** Whether no fault touched a machine in the minute before. */
  #healthy(world: MembershipWorld, machine: number, atMs: number): boolean {
    this.#touched ??= touchedTimes(
      this.#touching(world.faults as readonly AnyFault[]),
      world.machines.length,
    );
    return !(this.#touched[machine] ?? []).some(([from, to]) => atMs >= from && atMs <= to + RECOVERY_MS);
  }
}

/** The fields that faults of a simulator may have. */
interface AnyFault {
  readonly kind?: string;
  readonly atMs: number;
  readonly forMs?: number;
  readonly machine?: number;
  readonly from?: number | readonly number[];
  readonly to?: number | readonly number[];
  readonly a?: number;
  readonly b?: number;
}

/** By machine: when faults touched it. A block touches the smaller side; what names no machine touches all. */
function touchedTimes(faults: readonly AnyFault[], machines: number): (readonly [number, number])[][] {
  const touched: (readonly [number, number])[][] = Array.from({ length: machines }, () => []);
  for (const fault of faults) {
    const until = fault.atMs + (fault.forMs ?? (fault.kind === "crash" ? downForMs(fault, faults) : 0));
    for (const machine of touchedBy(fault, machines)) touched[machine]?.push([fault.atMs, until]);
  }
  return touched;
}

/** Until the machine boots again. */
function downForMs(crash: AnyFault, faults: readonly AnyFault[]): number {
  const boots = faults.filter(
    ({ kind, machine, atMs }) => kind === "restart" && machine === crash.machine && atMs >= crash.atMs,
  );
  return boots.reduce((first, { atMs }) => Math.min(first, atMs), Number.POSITIVE_INFINITY) - crash.atMs;
}

function touchedBy({ machine, from, to, a, b }: AnyFault, machines: number): readonly number[] {
  if (machine !== undefined) return [machine];
  if (a !== undefined && b !== undefined) return [a, b];
  if (from !== undefined && to !== undefined) {
    const [left, right] = [[from].flat(), [to].flat()];
    return left.length === right.length ? [...left, ...right] : left.length < right.length ? left : right;
  }
  return Array.from({ length: machines }, (_, index) => index);
}

function isGone(state: MemberState): boolean {
  return state === "dead" || state === "left";
}

function older(
  a: { readonly bootEpoch: number; readonly incarnation: number },
  b: { readonly bootEpoch: number; readonly incarnation: number },
): boolean {
  return a.bootEpoch < b.bootEpoch || (a.bootEpoch === b.bootEpoch && a.incarnation < b.incarnation);
}

function name(
  subject: number,
  { bootEpoch, incarnation }: { bootEpoch: number; incarnation: number },
): string {
  return `${subject} at boot ${bootEpoch}, incarnation ${incarnation}`;
}
