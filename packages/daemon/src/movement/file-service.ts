/**
 * Exports and imports from any node: the one that is asked passes the calls on to the one that has the agent, or is to get it.
 *
 * TF1. Secrets cross between nodes only inside their mutually authenticated sessions, and never in a log or an error.
 * TF2. The id of a transfer names the node that does it, so that whoever passes calls on keeps nothing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MalformedError } from "@glia-os/abi/errors";
import { fromHex, type NodeId, parseNodeId, toHex } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import { type FileSeal, FileWrongKeyError, readFileStart } from "@glia-os/cells";
import { credentialsOf, type Mesh } from "@glia-os/mesh-core";
import { NoClusterKeyError, UnknownAgentError } from "../errors.ts";
import { agentIn, decodeBody, encodeBody } from "../node-call.ts";
import type { AgentView } from "../node-views.ts";
import type { AgentExports } from "./agent-exports.ts";
import type { AgentImports } from "./agent-imports.ts";
import { UnknownTransferError } from "./errors.ts";
import type { AgentFileApi, BegunExport, ExportSeal, ImportRequest } from "./file-api.ts";
import { FILE_CRYPTO, secretOfCluster } from "./file-crypto.ts";
import type { AgentDirectory } from "./lifecycle-service.ts";

/** What nodes ask of each other for it. Bodies are JSON, bytes in it base64, unless said otherwise. */
export const FILE_CALLS = {
  /** `{agent, stop, seal}`. Answer: the begun export. */
  exportBegin: "agent.export-begin",
  /** `{id, offset}`. Answer: bytes. */
  exportRead: "agent.export-read",
  /** `{id, kept}`. */
  exportEnd: "agent.export-end",
  /** `{start, secret, as, signer}`. Answer: `{id, start}`. */
  importBegin: "agent.import-begin",
  /** The 16 bytes of the id, then bytes of the file. */
  importWrite: "agent.import-write",
  /** `{id, whole}`. Answer: the row, or null. */
  importEnd: "agent.import-end",
} as const;

const CALL_MS = 60_000;
const ID_BYTES = 16;
const TRANSFER = /^([0-9a-f]{64})\/([0-9a-f]{32})$/;

/** What it works with. */
export interface FileServiceParts {
  readonly mesh: Mesh;
  readonly agents: AgentDirectory;
  readonly dataDir: string;
  /** Absent on a client. */
  readonly exports: AgentExports | undefined;
  readonly imports: AgentImports | undefined;
  readonly readExport: (id: string, offset: number) => Promise<Uint8Array>;
  /** The member that a name, id or prefix means. */
  readonly member: (text: string) => Promise<NodeId>;
}

/** The operations. */
export class AgentFileService implements AgentFileApi {
  readonly #parts: FileServiceParts;

  constructor(parts: FileServiceParts) {
    this.#parts = parts;
    if (parts.exports !== undefined && parts.imports !== undefined)
      this.#answer(parts.exports, parts.imports);
  }

  async beginExport(text: string, seal: ExportSeal, stop: boolean): Promise<BegunExport> {
    const { mesh, agents, exports } = this.#parts;
    const { agent, owner } = await agents.find(text);
    if (owner === mesh.self) {
      if (exports === undefined) throw new UnknownAgentError(text);
      return named(mesh.self, await exports.begin(agent, seal, stop));
    }
    const body = encodeBody({ agent, stop, seal: sealText(seal) });
    const begun = decodeBody(await this.#call(owner, FILE_CALLS.exportBegin, body)) as BegunExport;
    return named(owner, begun);
  }

  async readExport(transfer: string, offset: number): Promise<Uint8Array> {
    const { mesh, readExport } = this.#parts;
    const { node, id } = transferIn(transfer);
    if (node === mesh.self) return readExport(id, offset);
    return this.#call(node, FILE_CALLS.exportRead, encodeBody({ id, offset }));
  }

  async endExport(transfer: string, kept: boolean): Promise<void> {
    const { mesh, exports } = this.#parts;
    const { node, id } = transferIn(transfer);
    if (node === mesh.self) await exports?.end(id, kept);
    else await this.#call(node, FILE_CALLS.exportEnd, encodeBody({ id, kept }));
  }

  async beginImport(request: ImportRequest): Promise<{ readonly id: string; readonly start: number }> {
    const { mesh, imports, member } = this.#parts;
    const { start, as, signer } = request;
    const node = request.on === undefined ? mesh.self : await member(request.on);
    const secret = request.secret ?? this.#clusterSecret(start);
    if (node === mesh.self) {
      if (imports === undefined) throw new UnknownTransferError("on a client");
      return named(node, await imports.begin(start, secret, { as, signer }));
    }
    const body = encodeBody({ start: base64(start), secret: base64(secret), as, signer });
    const answer = decodeBody(await this.#call(node, FILE_CALLS.importBegin, body));
    return named(node, answer as { id: string; start: number });
  }

  async writeImport(transfer: string, bytes: Uint8Array): Promise<void> {
    const { mesh, imports } = this.#parts;
    const { node, id } = transferIn(transfer);
    if (node === mesh.self) await imports?.write(id, bytes);
    else await this.#call(node, FILE_CALLS.importWrite, Buffer.concat([fromHex(id), bytes]));
  }

  async endImport(transfer: string, whole: boolean): Promise<AgentView | undefined> {
    const { mesh, agents, imports } = this.#parts;
    const { node, id } = transferIn(transfer);
    const row =
      node === mesh.self
        ? await endHere(imports, id, whole)
        : (decodeBody(
            await this.#call(node, FILE_CALLS.importEnd, encodeBody({ id, whole })),
          ) as AgentRow | null);
    return row === null ? undefined : agents.view(row);
  }

  #clusterSecret(start: Uint8Array): Uint8Array {
    const { mesh, dataDir } = this.#parts;
    const { seal } = readFileStart(start, FILE_CRYPTO.digests).header;
    if (seal.kind === "passphrase") throw new FileWrongKeyError("cluster's key: it wants a passphrase");
    const { newestKey } = credentialsOf(FILE_CRYPTO.digests, mesh.credentials());
    if (Buffer.compare(newestKey, seal.clusterKey) !== 0) throw new FileWrongKeyError("cluster's key");
    let pem: string;
    try {
      pem = readFileSync(join(dataDir, "cluster-key.pem"), "utf8");
    } catch {
      throw new NoClusterKeyError();
    }
    return secretOfCluster(pem, seal);
  }

  #answer(exports: AgentExports, imports: AgentImports): void {
    const { mesh, readExport } = this.#parts;
    const answers = (method: string, act: (fields: Fields, body: Uint8Array) => Promise<unknown>): void =>
      mesh.handle(method, async (_, body) => encodeBody(await act(fieldsIn(body), body)));
    answers(FILE_CALLS.exportBegin, ({ seal, stop }, body) =>
      exports.begin(agentIn(body), sealIn(seal), stop === true),
    );
    answers(FILE_CALLS.exportEnd, async ({ id, kept }) => exports.end(idIn(id), kept === true));
    answers(FILE_CALLS.importBegin, async ({ start, secret, as, signer }) =>
      imports.begin(bytesIn(start), bytesIn(secret), { as: textIn(as), signer: textIn(signer) }),
    );
    answers(FILE_CALLS.importEnd, ({ id, whole }) => endHere(imports, idIn(id), whole === true));
    mesh.handle(FILE_CALLS.exportRead, async (_, body) => {
      const { id, offset } = fieldsIn(body);
      if (!Number.isSafeInteger(offset) || (offset as number) < 0)
        throw new MalformedError("call body", "its offset is no number");
      return readExport(idIn(id), offset as number);
    });
    mesh.handle(FILE_CALLS.importWrite, async (_, body) => {
      await imports.write(toHex(body.slice(0, ID_BYTES)), body.slice(ID_BYTES));
      return new Uint8Array();
    });
  }

  #call(node: NodeId, method: string, body: Uint8Array): Promise<Uint8Array> {
    return this.#parts.mesh.call(node, method, body, { timeoutMs: CALL_MS, trafficClass: "bulk" });
  }
}

type Fields = Readonly<Record<string, unknown>>;

async function endHere(
  imports: AgentImports | undefined,
  id: string,
  whole: boolean,
): Promise<AgentRow | null> {
  if (whole && imports !== undefined) return imports.end(id);
  await imports?.drop(id);
  return null;
}

function named<Begun extends { readonly id: string }>(node: NodeId, begun: Begun): Begun {
  return { ...begun, id: `${node}/${begun.id}` };
}

/** @throws {UnknownTransferError} */
function transferIn(text: string): { readonly node: NodeId; readonly id: string } {
  const [, node, id] = TRANSFER.exec(text) ?? [];
  if (node === undefined || id === undefined) throw new UnknownTransferError(text);
  return { node: parseNodeId(node), id };
}

function fieldsIn(body: Uint8Array): Fields {
  const value = decodeBody(body);
  if (typeof value !== "object" || value === null)
    throw new MalformedError("call body", "it is not an object");
  return value as Fields;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

function bytesIn(value: unknown): Uint8Array {
  if (typeof value !== "string") throw new MalformedError("call body", "it lacks bytes");
  return new Uint8Array(Buffer.from(value, "base64"));
}

function textIn(value: unknown): string | undefined {
  if (value !== undefined && typeof value !== "string")
    throw new MalformedError("call body", "a field is no text");
  return value;
}

function idIn(value: unknown): string {
  if (typeof value !== "string") throw new MalformedError("call body", "it names no transfer");
  return value;
}

function sealText(seal: ExportSeal): unknown {
  if (seal.kind === "cluster") return seal;
  const { secret, seal: how } = seal;
  if (how.kind !== "passphrase") throw new MalformedError("seal", "a secret of another kind");
  const { salt, logN, r, p } = how;
  return { kind: "secret", secret: base64(secret), salt: base64(salt), logN, r, p };
}

/** What {@link sealText} made. @throws {MalformedError}; numbers are checked when the file is read. */
function sealIn(value: unknown): ExportSeal {
  const { kind, secret, salt, logN, r, p } = (value ?? {}) as Fields;
  if (kind === "cluster") return { kind };
  if (![logN, r, p].every(Number.isSafeInteger)) throw new MalformedError("seal", "it is of no kind");
  const how = { kind: "passphrase", salt: bytesIn(salt), logN, r, p } as FileSeal;
  return { kind: "secret", secret: bytesIn(secret), seal: how };
}
