/** What the system refuses: packets it does not send, and calls it does not have. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { noAddon } from "./addon.ts";
import { endpoint, failure, nextStream, pair, readAll } from "./peers.ts";

const program = fileURLToPath(new URL("./programs/peer.ts", import.meta.url));

/** Runs a program with traffic while strace lets system calls fail; undefined where strace may not do that. */
function withFailing(fault: string): { readonly status: number | null; readonly stdout: string } | undefined {
  const trace = ["-f", "-qq", "-o", "/dev/null", "-e", `inject=${fault}`];
  if (spawnSync("strace", [...trace, "true"]).status !== 0) return undefined;
  const node = [process.execPath, "--conditions=@glia-os/source", "--no-warnings", program, "close"];
  return spawnSync("strace", [...trace, ...node], { encoding: "utf8", timeout: 50_000 });
}

describe.skipIf(noAddon !== undefined)(
  `what the system refuses, needs a compiler and Node's headers${noAddon ?? ""}`,
  () => {
    test("P2: a dial that the system refuses to send fails alone: other connections of the endpoint live on", async () => {
      const { client, accepted, dialled } = await pair();
      // Broadcasts need an option that no endpoint sets, so the system refuses them with EACCES.
      const dead = failure(client.connect({ host: "255.255.255.255", port: 9, timeoutMs: 300 }));
      expect(await dead).toMatchObject({ code: "quic.connect-timeout" });
      expect(client.stats().unsent).toBeGreaterThan(0);
      expect(dialled.isClosed).toBe(false);
      const stream = await dialled.openStream();
      stream.end("alive");
      expect(String(await readAll(await nextStream(accepted)))).toBe("alive");
      expect((await endpoint().connect(client.address)).isClosed).toBe(false);
    });

    test.for([
      ["P2: no buffer for every third packet", "sendmmsg:error=ENOBUFS:when=5+6"],
      [
        "P4: every third reading gives the error of an earlier packet",
        "recvmmsg:error=ECONNREFUSED:when=2+3",
      ],
      ["P5: no call that sends many packets", "sendmmsg:error=ENOSYS"],
      ["P5: no call that reads many packets", "recvmmsg:error=ENOSYS"],
      ["no options of sockets", "setsockopt:error=ENOPROTOOPT"],
    ] as const)("traffic flows and ends on a system with: %s", ([, fault], { skip }) => {
      const ended = withFailing(fault);
      skip(ended === undefined, "needs strace, and a machine that lets it change system calls");
      expect({ status: ended?.status, stdout: ended?.stdout.trim() }).toEqual({
        status: 0,
        stdout: "closed",
      });
    });
  },
);
