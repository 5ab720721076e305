/**
 * Taking agents in from files (docs/spec/agent-file.md, "Import").
 *
 * AI1. An agent runs only after all of its file came and was verified, it was built, and its row was swapped; whatever fails leaves no agent here, and
 *      no row that says so: an agent that could not begin is in its file again (`exported`), and a copy has ended.
 * AI2. It goes on under its identity only if its row says that it runs nowhere, or its owner is gone or says that it does not have it.
 * AI3. At most {@link IMPORTS_MAX} at a time, each for {@link IMPORT_IDLE_MS} after its last piece. One whose end was asked for is not given up
 *      any more.
 * AI4. The pieces of one import come one after the other: one that comes while another is built in is refused.
 */
import { type AgentId, agentIdOf, toHex } from "@glia-os/abi/ids";
import type { AgentRow, Meter, Random, Signer, TimerHandle, Timers } from "@glia-os/abi/ports";
import {
  type AgentFileHeader,
  AgentFileReader,
  type AgentManifest,
  type CellGate,
  decodeManifest,
  encodeManifest,
  FileAgentEndedError,
  FileCorruptError,
  FileOtherClusterError,
  FileOwnerLivesError,
  FileUntrustedError,
  PROGRAM_BYTES_MAX,
  readFileStart,
  signerOf,
  TakesNoneError,
} from "@glia-os/cells";
import type { Mesh } from "@glia-os/mesh-core";
import { decodeBody, encodeBody, NODE_CALLS } from "../node-call.ts";
import { requestId } from "../request-id.ts";
import { TooManyTransfersError, TransferBusyError, UnknownTransferError } from "./errors.ts";
import { FILE_CRYPTO } from "./file-crypto.ts";
import { PiecePipe } from "./piece-pipe.ts";

/** Imports at a time. */
export const IMPORTS_MAX = 8;
/** How long an import waits for its next piece. */
export const IMPORT_IDLE_MS = 300_000;
const VITALS_TIMEOUT_MS = 2000;
const LENGTH_BYTES = 4;
const MANIFEST_MAX: number = PROGRAM_BYTES_MAX + 1024 * 1024;
const ATTEMPTS = 3;
const IMPORTS_TOTAL = "glia_agent_imports_total";

/** What it works with. */
export interface AgentImportsParts {
  readonly mesh: Mesh;
  readonly gate: CellGate;
  readonly signer: Signer;
  readonly timers: Timers;
  readonly random: Random;
  readonly meter: Meter;
  readonly sessionId: () => string;
}

interface Import {
  readonly header: AgentFileHeader;
  readonly reader: AgentFileReader;
  readonly as: string | undefined;
  readonly pipe: PiecePipe;
  /** Of the manifest, while it comes. */
  front: Uint8Array;
  manifest: AgentManifest | undefined;
  agent: AgentId;
  staging: Promise<void> | undefined;
  /** A piece is being built in (AI4). */
  busy: boolean;
  timer: TimerHandle | undefined;
}

/** The imports of one node. */
export class AgentImports {
  readonly #parts: AgentImportsParts;
  readonly #imports = new Map<string, Import>();

  constructor(parts: AgentImportsParts) {
    this.#parts = parts;
    parts.meter.count(IMPORTS_TOTAL, 0);
  }

  /** Begin one from the start of a file and what its seal stands for. */
  async begin(
    start: Uint8Array,
    secret: Uint8Array,
    { as, signer }: { readonly as?: string | undefined; readonly signer?: string | undefined },
  ): Promise<{ readonly id: string; readonly start: number }> {
    const { mesh, random } = this.#parts;
    const { refusesNew } = this.#parts.gate;
    if (refusesNew !== undefined) throw new TakesNoneError(refusesNew);
    if (this.#imports.size >= IMPORTS_MAX) throw new TooManyTransfersError("imported", IMPORTS_MAX);
    const opened = readFileStart(start, FILE_CRYPTO.digests);
    const { header } = opened;
    const by = signerOf(header, FILE_CRYPTO.digests);
    if (header.cluster !== mesh.cluster && as === undefined) throw new FileOtherClusterError(header.cluster);
    if (by !== signer && !mesh.members().some(({ node }) => node === by)) throw new FileUntrustedError(by);
    const reader = new AgentFileReader(opened, secret, FILE_CRYPTO);
    if (as === undefined) await this.#claimable(header);
    const id = toHex(random.bytes(new Uint8Array(16)));
    this.#imports.set(id, {
      header,
      reader,
      as,
      pipe: new PiecePipe(),
      front: new Uint8Array(),
      manifest: undefined,
      agent: header.agent,
      staging: undefined,
      busy: false,
      timer: undefined,
    });
    this.#touch(id);
    return { id, start: opened.bytes.length };
  }

  /**
   * The next bytes; comes back when they are built into the agent. A refusal ends the import, but for the one of a piece that comes before that.
   * @throws {TransferBusyError} (AI4)
   */
  async write(id: string, bytes: Uint8Array): Promise<void> {
    const it = this.#idle(id);
    this.#touch(id);
    it.busy = true;
    try {
      for (const piece of it.reader.push(bytes)) await this.#content(it, piece);
    } catch (error) {
      await this.drop(id);
      throw error;
    } finally {
      it.busy = false;
    }
  }

  /** The file ended: verify it, swap the row, run the agent (AI1). @throws {TransferBusyError} (AI4) */
  async end(id: string): Promise<AgentRow> {
    const it = this.#idle(id);
    // From here on neither its timer nor a call reaches it (AI3).
    this.#forget(id);
    try {
      it.reader.finish();
      if (it.staging === undefined) throw new FileCorruptError("it ends in its manifest");
      it.pipe.end();
      await it.staging;
      const row = await this.#own(it);
      await again(() => this.#parts.gate.activate(it.agent, row.epoch));
      this.#parts.meter.count(IMPORTS_TOTAL);
      return row;
    } catch (error) {
      await this.#giveUp(it);
      await this.#letGo(it);
      throw error;
    }
  }

  /** The row of an agent that could not begin says so (AI1). Without an answer it stays as it is: the same file can be imported here again. */
  async #letGo({ agent, as }: Import): Promise<void> {
    const { mesh, gate, random, sessionId } = this.#parts;
    const id = requestId(random);
    try {
      const row = await again(() => mesh.coordination.getAgent(agent));
      const says = row?.owner === mesh.self && (row.status === "running" || row.status === "suspended");
      if (row === undefined || !says || gate.stands(agent) !== undefined) return;
      const status = as === undefined ? "exported" : "terminated";
      const change = { owner: mesh.self, sessionId: sessionId(), status } as const;
      await again(() => mesh.coordination.compareAndSwap(agent, row.epoch, change, id));
    } catch {
      // What failed first is told.
    }
  }

  /** Give an import up. Idempotent. */
  async drop(id: string): Promise<void> {
    const it = this.#imports.get(id);
    if (it === undefined) return;
    this.#forget(id);
    await this.#giveUp(it);
  }

  async #giveUp(it: Import): Promise<void> {
    it.pipe.fail(new FileCorruptError("its import was given up"));
    const staged = it.staging?.then(
      () => true,
      () => false,
    );
    if (await staged) await this.#parts.gate.discard(it.agent);
  }

  async #content(it: Import, piece: Uint8Array): Promise<void> {
    if (it.staging !== undefined) return it.pipe.push(piece);
    it.front = new Uint8Array(Buffer.concat([it.front, piece]));
    if (it.front.length < LENGTH_BYTES) return;
    const length = new DataView(it.front.buffer).getUint32(0);
    if (length === 0 || length > MANIFEST_MAX)
      throw new FileCorruptError(`its manifest says it has ${length} bytes`);
    const end = LENGTH_BYTES + length;
    if (it.front.length < end) return;
    const rest = it.front.slice(end);
    this.#stage(it, decodeManifest(it.front.subarray(LENGTH_BYTES, end)));
    it.front = new Uint8Array();
    if (rest.length > 0) await it.pipe.push(rest);
  }

  #stage(it: Import, original: AgentManifest): void {
    const { gate } = this.#parts;
    const copy = it.as !== undefined;
    it.manifest = it.as === undefined ? original : { ...original, name: it.as };
    const meta = encodeManifest(it.manifest);
    if (copy) it.agent = this.#newIdentity(meta);
    it.staging = gate.stage(it.agent, meta, () => it.pipe.next(), copy);
    it.staging.catch((error: unknown) => it.pipe.fail(error));
  }

  #newIdentity(meta: Uint8Array): AgentId {
    const { signer, random } = this.#parts;
    const { sha256 } = FILE_CRYPTO.digests;
    const nonce = random.bytes(new Uint8Array(16));
    return agentIdOf({ ownerKey: signer.publicKey, nonce, manifestHash: sha256(meta) }, sha256);
  }

  /** The row of the agent, of this node from now on. */
  async #own(it: Import): Promise<AgentRow> {
    const { mesh, gate, random, sessionId } = this.#parts;
    const manifest = it.manifest as AgentManifest;
    const status = gate.stands(it.agent)?.suspended === true ? "suspended" : "running";
    const id = requestId(random);
    const owned = { owner: mesh.self, sessionId: sessionId(), status } as const;
    if (it.as !== undefined) {
      const programHash = await gate.checkProgram(manifest.program, manifest.grants);
      const row = { agent: it.agent, ...owned, name: manifest.name, programHash };
      return again(() => mesh.coordination.createAgent(row, id));
    }
    const { epoch } = await this.#claimable(it.header);
    const outcome = await again(() => mesh.coordination.compareAndSwap(it.agent, epoch, owned, id));
    if (outcome.kind === "committed") return outcome.row;
    if (outcome.kind === "conflict") throw new FileOwnerLivesError(it.agent, outcome.row.owner);
    throw new FileAgentEndedError(it.agent, "coordination does not know it");
  }

  /** The row of an agent that may go on here (AI2). @throws {FileAgentEndedError}, {FileOwnerLivesError} */
  async #claimable({ agent, epoch }: AgentFileHeader): Promise<AgentRow> {
    const row = await this.#parts.mesh.coordination.getAgent(agent);
    if (row === undefined) throw new FileAgentEndedError(agent, "coordination does not know it");
    if (row.status === "terminated") throw new FileAgentEndedError(agent, "it was terminated");
    if (row.epoch < epoch)
      throw new FileAgentEndedError(agent, `its row has epoch ${row.epoch}, below the file's ${epoch}`);
    if (row.status === "running" || row.status === "suspended")
      if (await this.#lives(row)) throw new FileOwnerLivesError(agent, row.owner);
    return row;
  }

  async #lives({ agent, owner }: AgentRow): Promise<boolean> {
    const { mesh, gate } = this.#parts;
    if (owner === mesh.self) return gate.stands(agent) !== undefined;
    const member = mesh.members().find(({ node }) => node === owner);
    if (member === undefined || member.state === "dead" || member.state === "left") return false;
    try {
      const options = { timeoutMs: VITALS_TIMEOUT_MS };
      const answer = decodeBody(await mesh.call(owner, NODE_CALLS.vitals, encodeBody({ agent }), options));
      return answer !== null && !("failure" in (answer as object));
    } catch {
      return true; // An owner that does not answer may run it.
    }
  }

  #touch(id: string): void {
    const it = this.#of(id);
    it.timer?.cancel();
    it.timer = this.#parts.timers.schedule(IMPORT_IDLE_MS, () => void this.drop(id));
  }

  #forget(id: string): void {
    this.#imports.get(id)?.timer?.cancel();
    this.#imports.delete(id);
  }

  #idle(id: string): Import {
    const it = this.#of(id);
    if (it.busy) throw new TransferBusyError(id);
    return it;
  }

  #of(id: string): Import {
    const it = this.#imports.get(id);
    if (it === undefined) throw new UnknownTransferError(id);
    return it;
  }
}

/** A request that is safe to repeat, under its request id, when its answer is lost. */
async function again<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}
