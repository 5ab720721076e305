/** `glia agent import`: go on with an agent from a file, or make a copy of it. */
import { type FileHandle, open } from "node:fs/promises";
import {
  type AgentView,
  FILE_CHUNK_MAX,
  FILE_START_MAX,
  type ImportRequest,
  type NodeApi,
  readFileStart,
  secretOfPassphrase,
} from "@glia-os/daemon";
import { createSystemDigests } from "@glia-os/hal";
import { agentLines } from "../commands/agent-list.ts";
import { type Context, unlessInterrupted } from "../context.ts";
import { InputUnreadableError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { passphraseFrom } from "./passphrase.ts";

/** Its options. */
export interface AgentImportOptions extends NodeChoice {
  readonly passphraseFile?: string;
  readonly on?: string;
  readonly as?: string;
  readonly signer?: string;
}

/** Run it. */
export async function agentImport(
  path: string,
  options: AgentImportOptions,
  context: Context,
): Promise<ExitCode> {
  const file = await open(path).catch((cause: unknown) => {
    throw new InputUnreadableError(path, cause);
  });
  try {
    const request = await requestFor(await piece(file, path, 0, FILE_START_MAX), options, context);
    const agent = await withNode(options, (node) => give(node, request, file, path, context));
    context.terminal.record({ ok: true, agent });
    if (agent !== undefined) for (const line of agentLines([agent])) context.terminal.line(line);
    return EXIT.ok;
  } finally {
    await file.close();
  }
}

async function requestFor(
  start: Uint8Array,
  { on, as, signer, passphraseFile }: AgentImportOptions,
  { stdin }: Context,
): Promise<ImportRequest> {
  const { seal } = readFileStart(start, createSystemDigests()).header;
  const secret =
    seal.kind === "cluster"
      ? undefined
      : await secretOfPassphrase(await passphraseFrom(passphraseFile, stdin), seal);
  return {
    start,
    ...(secret === undefined ? {} : { secret }),
    ...(on === undefined ? {} : { on }),
    ...(as === undefined ? {} : { as }),
    ...(signer === undefined ? {} : { signer }),
  };
}

async function give(
  node: NodeApi,
  request: ImportRequest,
  file: FileHandle,
  path: string,
  context: Context,
): Promise<AgentView | undefined> {
  const { id, start } = await node.beginImport(request);
  try {
    let at = start;
    for (let bytes = await piece(file, path, at); bytes.length > 0; bytes = await piece(file, path, at)) {
      await unlessInterrupted(context, node.writeImport(id, bytes));
      at += bytes.length;
    }
    return await node.endImport(id, true);
  } catch (error) {
    await node.endImport(id, false).catch(() => undefined);
    throw error;
  }
}

async function piece(
  file: FileHandle,
  path: string,
  at: number,
  most: number = FILE_CHUNK_MAX,
): Promise<Uint8Array> {
  try {
    const { bytesRead, buffer } = await file.read(new Uint8Array(most), 0, most, at);
    return buffer.slice(0, bytesRead);
  } catch (cause) {
    throw new InputUnreadableError(path, cause);
  }
}
