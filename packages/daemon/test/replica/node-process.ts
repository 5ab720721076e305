/** A node in a process of its own, for tests that kill it. Argument: its options as JSON. Prints a line when it is a member. */
import { createNode, type NodeOptions } from "@glia-os/daemon";

const options = JSON.parse(process.argv[2] ?? "{}") as NodeOptions;
const log = process.env["GLIA_TEST_LOG"] === "1";
const logger = {
  log: (level: string, message: string, fields?: object) => {
    if (log) process.stderr.write(`${options.name} ${level} ${message} ${JSON.stringify(fields ?? {})}\n`);
  },
  child: () => logger,
};
const node = await createNode({ ...options, logger });
process.stdout.write(`${JSON.stringify({ node: (await node.status()).node })}\n`);
process.stdin.on("end", () => void node.stop().then(() => process.exit(0)));
process.stdin.resume();
