/**
 * What a node keeps of its first start beside its membership, so that later ones need no options: its role, and where it listened.
 *
 * RS1. A file that is missing or damaged is as if nothing were remembered; what the configuration says goes first.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { HostPort } from "@glia-os/abi/ports";

const ROLES = ["edge", "relay", "core"] as const;

/** What is kept. */
export interface RememberedStart {
  readonly role: (typeof ROLES)[number];
  readonly port: number;
  /** What it was told to listen on; older folders do not have it. */
  readonly host?: string;
}

const FILE = "start.json";

/** What the folder remembers (RS1). */
export function rememberedStart(dataDir: string): RememberedStart | undefined {
  try {
    const { role, port, host } = JSON.parse(
      readFileSync(join(dataDir, FILE), "utf8"),
    ) as Partial<RememberedStart>;
    const known = ROLES.find((each) => each === role);
    if (known === undefined || !Number.isInteger(port)) return undefined;
    return { role: known, port: port as number, ...(typeof host === "string" ? { host } : {}) };
  } catch {
    return undefined;
  }
}

/** Keep it for the next start. */
export function rememberStart(dataDir: string, start: RememberedStart): void {
  writeFileSync(join(dataDir, FILE), `${JSON.stringify({ version: 1, ...start })}\n`, { mode: 0o600 });
}

/** `bind`, with the port of the last start when it asks for any port and that one is free: others know this node there. */
export async function sameAddress(bind: HostPort, port: number | undefined): Promise<HostPort> {
  if (bind.port !== 0 || port === undefined) return bind;
  return (await isFree({ host: bind.host, port })) ? { host: bind.host, port } : bind;
}

function isFree({ host, port }: HostPort): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
