/**
 * `glia agent export`: an agent into an encrypted, signed file.
 *
 * EX1. The file appears under its name when it is whole and flushed, never before (KE1); an agent that is to be stopped is stopped after that.
 * EX2. Whatever goes wrong, Ctrl-C included, lets the agent go on and leaves no file behind.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { type ExportSeal, SCRYPT_WRITTEN, secretOfPassphrase } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { chooseAgent } from "../node/choose-agent.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { formatBytes, formatMs } from "../terminal/amount.ts";
import { FileExistsError } from "./errors.ts";
import { keepExport } from "./kept-export.ts";
import { passphraseFrom } from "./passphrase.ts";

/** Its options. */
export interface AgentExportOptions extends NodeChoice {
  readonly passphraseFile?: string;
  readonly toCluster?: boolean;
  readonly stop?: boolean;
  readonly force?: boolean;
}

/** Run it. */
export async function agentExport(
  text: string,
  path: string,
  options: AgentExportOptions,
  context: Context,
): Promise<ExitCode> {
  const { terminal } = context;
  if (existsSync(path) && options.force !== true) throw new FileExistsError(path);
  const seal = options.toCluster === true ? ({ kind: "cluster" } as const) : await sealOf(options, context);
  const begun = await withNode(options, async (node) => {
    const { agent } = await chooseAgent(node, text);
    const started = await node.beginExport(agent, seal, options.stop === true);
    try {
      await unlessInterrupted(context, keepExport(node, started, path));
    } catch (error) {
      await node.endExport(started.id, false).catch(() => undefined);
      throw error;
    }
    await node.endExport(started.id, true);
    return started;
  });
  const { agent, name, epoch, bytes, downtimeMs } = begun;
  const stopped = options.stop === true;
  terminal.record({ ok: true, agent, name, epoch, bytes, downtimeMs, node: begun.node, file: path, stopped });
  terminal.line(
    `${name} at epoch ${epoch} is in ${path}: ${formatBytes(bytes)}, ` +
      (stopped ? "and stopped" : `read out in ${formatMs(downtimeMs)}, and goes on`),
  );
  return EXIT.ok;
}

async function sealOf({ passphraseFile }: AgentExportOptions, { stdin }: Context): Promise<ExportSeal> {
  const passphrase = await passphraseFrom(passphraseFile, stdin);
  const seal = { kind: "passphrase", salt: new Uint8Array(randomBytes(16)), ...SCRYPT_WRITTEN } as const;
  return { kind: "secret", secret: await secretOfPassphrase(passphrase, seal), seal };
}
