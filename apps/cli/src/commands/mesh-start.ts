/**
 * `glia mesh start`: found a cluster, or take up again the one in the data folder.
 *
 * MS1. With `--resume` the folder says which role and address the node had; options go first.
 */
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import type { ExitCode } from "../exit-code.ts";
import { checkNodeName, dataDirOf, defaultNodeName } from "../node/data-dir.ts";
import { formatHostPort } from "../node/host-port.ts";
import { type MemberOptions, memberSettings } from "../node/member-options.ts";
import type { ForegroundNode } from "../node/run-node.ts";
import { rememberedStart } from "../up/remembered-start.ts";
import { type JoinLineOptions, joinLineLimits } from "./join-line-limits.ts";

/** Its options. */
export interface MeshStartOptions extends JoinLineOptions, Omit<MemberOptions, "bind" | "role"> {
  readonly bind?: string;
  readonly role?: MemberOptions["role"];
  readonly resume?: boolean;
}

/** Run it. */
export async function meshStart(
  options: MeshStartOptions,
  { terminal, interrupt }: Context,
): Promise<ExitCode> {
  const settings: ForegroundNode = {
    ...memberSettings(withPlace(options)),
    start: options.resume === true ? { kind: "resume" } : { kind: "new-cluster" },
    joinLine: joinLineLimits(options),
  };
  const { runNode } = await import("../node/run-node.ts");
  return runNode(settings, terminal, interrupt);
}

/** MS1. @throws {UsageError} where nothing says what it is to listen on */
function withPlace(options: MeshStartOptions): MemberOptions {
  const name = checkNodeName(options.name ?? defaultNodeName(options.role ?? "core"));
  const last = options.resume === true ? rememberedStart(dataDirOf(name, options.data)) : undefined;
  const host = last?.host;
  const bind =
    options.bind ??
    (last === undefined || host === undefined ? undefined : formatHostPort({ host, port: last.port }));
  if (bind === undefined)
    throw new UsageError(
      options.resume === true
        ? `--bind is missing, and the folder ${dataDirOf(name, options.data)} remembers no address`
        : "--bind is missing",
      "Say what to listen on, for example `--bind 127.0.0.1:7400`; port 0 picks a free one.",
    );
  return { ...options, name, bind, role: options.role ?? last?.role ?? "core" };
}
