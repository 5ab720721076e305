/**
 * One run of a cluster whose certificates last minutes, while its key is rotated, a member is removed, nodes are cut off and come back.
 *
 * CE1. No session ends because a certificate was renewed or the cluster's key was replaced: without a cut, none ends at all.
 * CE2. Every member that reaches the holder of the cluster's key for long enough holds a certificate that is valid.
 * CE3. Renewal and rotation change neither a node's id nor its role, nor the cluster's id.
 * CE4. A certificate of a removed node, of a replaced key after its overlap, or that has ended, opens no session.
 * CE5. During its overlap a certificate of the replaced key opens a session.
 */
import type { NodeId } from "@glia-os/abi/ids";
import { CLOCK_SKEW_MS } from "../../src/admission/certificate.ts";
import type { Credentials } from "../../src/index.ts";
import { SeededRandom } from "../../src/testing/index.ts";
import { Cluster, type TestNode } from "../cluster.ts";
import { signerOf } from "../digests.ts";

const NODES = 5;
const TTL_MS = 240_000;
const STEPS = 5;
/** A third of the validity is left when renewal begins, so a cut of this length ends before the certificate does. */
const CUT_MS = 50_000;
const REMOVED = NODES - 1;

class CertificatesRun {
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  #keys = 1;
  #boots = 1;
  #removed: { readonly id: NodeId; readonly credentials: Credentials } | undefined;
  #cuts = 0;
  #wrong: string | undefined;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed).fork("certificates");
    this.#cluster = new Cluster(seed, { loss: 0, duplication: 0, breaks: 0, delayMs: 1, jitterMs: 3 });
  }

  async violation(): Promise<string | undefined> {
    const cluster = this.#cluster;
    await cluster.boot(NODES, { certificateTtlMs: TTL_MS, parts: "members" });
    const { cluster: id } = cluster.anchor.mesh;
    for (let step = 0; step < STEPS && this.#wrong === undefined; step++) {
      await this.#step();
      await cluster.time.advance(20_000 + (this.#random.uint32() % 80_000));
      this.#check(id);
    }
    if (this.#removed !== undefined)
      await this.#refused(REMOVED, this.#removed.credentials, "of a removed node");
    for (const { mesh } of this.#members()) await cluster.time.settle(mesh.stop());
    return this.#wrong;
  }

  async #step(): Promise<void> {
    const what = this.#random.uint32() % 5;
    if (what === 0) await this.#cut();
    else if (what === 1) await this.#rotate();
    else if (what === 2) this.#remove();
    else if (what === 3) await this.#keep();
  }

  #members(): TestNode[] {
    return this.#cluster.nodes.filter(({ process, id }) => process.running && id !== this.#removed?.id);
  }

  /** A member does not hear the holder of the key for a while: not for so long that its certificate ends. */
  async #cut(): Promise<void> {
    this.#cuts++;
    const node = this.#pick();
    this.#cluster.network.partition([node.id]);
    await this.#cluster.time.advance(this.#random.uint32() % CUT_MS);
    this.#cluster.network.heal();
    await this.#cluster.time.advance(60_000);
  }

  /** The key is replaced; what was issued before counts for the overlap (CE5) and not longer (CE4). */
  async #rotate(): Promise<void> {
    const { mesh } = this.#cluster.anchor;
    const node = this.#pick();
    const n = this.#cluster.nodes.indexOf(node);
    const before = node.mesh.credentials();
    // Shorter than what is left of any certificate, so that only the key can be why it is refused.
    const overlapMs = 20_000;
    mesh.rotateClusterKey(signerOf(this.#keys++, "cluster"), { overlapMs });
    await this.#cluster.time.advance(10_000);
    await this.#admitted(node, before, "of a key that was replaced, in its overlap");
    await this.#cluster.time.advance(overlapMs + CLOCK_SKEW_MS);
    await this.#refused(n, before, "of a key that was replaced");
  }

  #remove(): void {
    const node = this.#cluster.node(REMOVED);
    if (this.#removed !== undefined || !node.process.running) return;
    this.#removed = { id: node.id, credentials: node.mesh.credentials() };
    this.#cluster.anchor.mesh.remove(node.id);
  }

  /** A certificate that was kept until it ended opens nothing. */
  async #keep(): Promise<void> {
    const node = this.#pick();
    const before = node.mesh.credentials();
    await this.#cluster.time.advance(TTL_MS + CLOCK_SKEW_MS + 1000);
    await this.#refused(this.#cluster.nodes.indexOf(node), before, "that has ended");
  }

  /** The node itself stops, comes back with what it kept, and goes on. */
  async #admitted(node: TestNode, credentials: Credentials, what: string): Promise<void> {
    const n = this.#cluster.nodes.indexOf(node);
    await this.#cluster.time.settle(node.mesh.stop());
    const again = this.#comeBack(n, credentials);
    try {
      await this.#cluster.time.settle(again.mesh.start());
      this.#cluster.nodes[n] = again;
    } catch (error) {
      this.#note(`CE5: a certificate ${what} was refused: ${(error as Error).message}`);
    }
    // The others saw it go.
    this.#cuts++;
  }

  /** Somebody with the node's key and what it kept is let in nowhere. */
  async #refused(n: number, credentials: Credentials, what: string): Promise<void> {
    const late = this.#comeBack(n, credentials);
    try {
      await this.#cluster.time.settle(late.mesh.start());
      this.#note(`CE4: a certificate ${what} opened a session`);
    } catch {
      await this.#cluster.time.settle(late.mesh.stop());
    }
  }

  #comeBack(n: number, credentials: Credentials): TestNode {
    const contacts = this.#members()
      .filter((_, index) => index !== n)
      .flatMap(({ mesh }) => mesh.address ?? []);
    const start = { kind: "member", credentials, contacts } as const;
    return this.#cluster.build(n, "edge", start, { bootEpoch: ++this.#boots, parts: "members" });
  }

  #check(id: string): void {
    const nowMs = this.#cluster.time.wallMs();
    for (const [n, { mesh, id: node, events }] of this.#cluster.nodes.entries()) {
      if (node === this.#removed?.id) continue;
      const { expiresMs } = mesh.validity();
      if (expiresMs < nowMs) this.#note(`CE2: node ${n} has a certificate that ended`);
      const self = mesh.members().find((member) => member.node === node);
      if (mesh.cluster !== id || self?.role !== (n === 0 ? "core" : "edge"))
        this.#note(`CE3: node ${n} is ${self?.role} of cluster ${mesh.cluster}`);
      const ends = events.filter((event) => event.kind === "sessionDown" && event.node !== this.#removed?.id);
      if (this.#cuts === 0 && ends.length > 0) this.#note(`CE1: node ${n} lost a session`);
      if (mesh.members().some((member) => member.node === this.#removed?.id && member.state === "alive"))
        this.#note(`CE4: node ${n} sees a removed node`);
    }
  }

  /** A member that is neither the holder of the key nor the one that is removed. */
  #pick(): TestNode {
    return this.#cluster.node(1 + (this.#random.uint32() % (REMOVED - 1)));
  }

  #note(what: string): void {
    this.#wrong ??= what;
  }
}

/** What does not hold for a seed; undefined when all does. */
export async function certificatesViolation(seed: number): Promise<string | undefined> {
  return new CertificatesRun(seed).violation();
}
