/** Step 8: parts of programs call each other with `yield*`, however deep. So a server reads like straight-line code: one task per client. */
import { accept, type Listening, listen, type RunningKernel, recv, send } from "@glia-os/host";
import type { Handle, Sys } from "@glia-os/kernel";
import { boot } from "./machine.ts";

/** Sends back what one client sends, until it ends. */
export function* serveClient(sys: Sys, connection: Handle) {
  for (;;) {
    const bytes = yield* recv(sys, connection, 65_536);
    if (bytes.length === 0) return;
    yield* send(sys, connection, bytes);
  }
}

/** Makes one task per connection. A client that fails ends its own task only. */
export function* serve(sys: Sys, listener: Handle) {
  for (;;) {
    const connection = yield* accept(sys, listener);
    sys.spawn(serveClient, { give: [connection] });
    // The client's task holds the connection alone: when it ends, the connection closes.
    sys.drop(connection);
  }
}

/** Start the server. */
export async function startEcho(
  port = 0,
): Promise<{ readonly machine: RunningKernel; readonly server: Listening }> {
  const machine = boot();
  const server = await listen(machine.kernel, { port });
  machine.kernel.spawn(serve, { give: [server.handle], name: "echo" });
  return { machine, server };
}

if (import.meta.main) {
  const { machine, server } = await startEcho(Number(process.argv[2] ?? 25_000));
  console.log(`echo on port ${server.port}; end with Ctrl-C`);
  process.once("SIGINT", () => {
    server.close();
    void machine.stop(1000);
  });
}
