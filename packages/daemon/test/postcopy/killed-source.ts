/**
 * A node in a process of its own that is killed, as by kill -9, when the destination of a move has begun to run the agent. Argument: its options as JSON.
 * Prints a line when it is a member.
 */
import { createNode, type NodeOptions } from "@glia-os/daemon";

const options = JSON.parse(process.argv[2] ?? "{}") as NodeOptions;
const node = await createNode({
  ...options,
  onEvent: (event) => {
    if (event.kind === "migration-phase" && event.phase.phase === "live")
      process.kill(process.pid, "SIGKILL");
  },
});
process.stdout.write(`${JSON.stringify({ node: (await node.status()).node })}\n`);
process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
