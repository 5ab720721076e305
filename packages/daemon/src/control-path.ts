/** Where a node's control socket is. */
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Longest path a Unix socket can have on the systems we know is 104 bytes with its zero (macOS); one is left for safety. */
const SOCKET_PATH_LIMIT_BYTES = 102;

/** The socket (on Windows: named pipe) of the node with this data folder. The same for everybody who knows the folder. */
export function controlPath(dataDir: string): string {
  const folder = resolve(dataDir);
  const digest = createHash("sha256").update(folder).digest("hex").slice(0, 24);
  if (process.platform === "win32") return `\\\\.\\pipe\\glia-${digest}`;
  const inFolder = join(folder, "control.sock");
  if (Buffer.byteLength(inFolder) <= SOCKET_PATH_LIMIT_BYTES) return inFolder;
  const user = process.getuid?.() ?? 0;
  return join(tmpdir(), `glia-${user}`, `${digest}.sock`);
}
