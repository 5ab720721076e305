/**
 * Tells systemd how the node stands, where it was started by a unit of `Type=notify` (sd_notify(3)).
 *
 * SM1. Node has no datagrams on Unix sockets, so systemd's own `systemd-notify` says it. Where it is missing, or nobody listens, nothing happens.
 */
import { spawn } from "node:child_process";

/** What can be told. */
export type ServiceState = "ready" | "reloading" | "stopping";

const NOTIFY_MS = 5000;

/** Tell the state, and a line for `systemctl status`. Resolves when it was told, or cannot be (SM1). */
export function tellServiceManager(
  state: ServiceState,
  status: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<void> {
  if ((environment["NOTIFY_SOCKET"] ?? "") === "") return Promise.resolve();
  return new Promise((resolve) => {
    const child = spawn("systemd-notify", [`--${state}`, `--pid=${process.pid}`, `--status=${status}`], {
      stdio: "ignore",
      timeout: NOTIFY_MS,
    });
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
}
