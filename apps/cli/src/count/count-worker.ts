/** The counting thread: keeps the independent count off the thread that feeds the mesh. */
import { parentPort } from "node:worker_threads";
import { crc32 } from "node:zlib";
import type { CountReply, CountRequest } from "./count-messages.ts";
import { recount } from "./recount.ts";
import { Tally } from "./tally.ts";

const tally = new Tally();
let digest = 0;

function answer(reply: CountReply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(reply, transfer);
}

parentPort?.on("message", (request: CountRequest) => {
  switch (request.kind) {
    case "chunk": {
      const { buffer, bytes } = request;
      const chunk = new Uint8Array(buffer, 0, bytes);
      digest = crc32(chunk, digest);
      tally.push(chunk);
      answer({ kind: "credit", buffer, bytes }, [buffer]);
      break;
    }
    case "end-file":
      tally.endFile();
      break;
    case "finish":
      answer({ kind: "count", count: tally.result(), digest });
      break;
    case "recount":
      answer({ kind: "recount", ...recount(request.files, request.words) });
  }
});
