/** The part of a node's operations that takes agents out into files and in from them; whoever asks has the file, piece by piece. */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { FileSeal } from "@glia-os/cells";
import type { AgentView } from "../node-views.ts";

/** How a file is to be sealed: for whoever has the secret, or for the holder of the cluster's key. */
export type ExportSeal =
  | { readonly kind: "cluster" }
  | { readonly kind: "secret"; readonly secret: Uint8Array; readonly seal: FileSeal };

/** An agent that is being taken out. */
export interface BegunExport {
  /** Names the export in the calls that follow; 32 hexadecimal characters. */
  readonly id: string;
  readonly agent: AgentId;
  readonly name: string;
  readonly epoch: Epoch;
  /** The node that writes and signs. */
  readonly node: NodeId;
  /** Size of the file. */
  readonly bytes: number;
  /** How long the agent stood still to be read out, in milliseconds; with `stop` it stands still on. */
  readonly downtimeMs: number;
}

/** What is to be imported, and how. */
export interface ImportRequest {
  /** The first bytes of the file: `FILE_START_MAX` of `@glia-os/cells`, or all there are. */
  readonly start: Uint8Array;
  /** What its seal stands for; left out for a file for the cluster, whose key the asked node must hold. */
  readonly secret?: Uint8Array;
  /** Make a copy with this name and a new identity. */
  readonly as?: string;
  /** The node it is to run on: name, id or prefix. Default: the node that is asked. */
  readonly on?: string;
  /** Trust this signer (an id) although it is no member. */
  readonly signer?: string;
}

/** A part of `NodeApi`. */
export interface AgentFileApi {
  /**
   * Read an agent out into a file of its owner; `stop`: it stays frozen until {@link endExport}. At most 8 at a time on a node.
   * @throws `cells.immovable-capability`, `cells.no-yield`, `cells.illegal-transition`.
   */
  beginExport(agent: string, seal: ExportSeal, stop: boolean): Promise<BegunExport>;
  /** Up to 1 MiB of the file from `offset` on; empty at its end. */
  readExport(id: string, offset: number): Promise<Uint8Array>;
  /** The file is kept, or not wanted any more. Of one with `stop`: the agent's row becomes `exported`, or the agent goes on. */
  endExport(id: string, kept: boolean): Promise<void>;
  /** Begin to take an agent in (docs/spec/agent-file.md). @throws `cells.file-*`. */
  beginImport(request: ImportRequest): Promise<{ readonly id: string; readonly start: number }>;
  /** The next bytes, at most 1 MiB. */
  writeImport(id: string, bytes: Uint8Array): Promise<void>;
  /** The file ended: run the agent; or, `whole` false, drop what came. */
  endImport(id: string, whole: boolean): Promise<AgentView | undefined>;
}
