/** The counting thread: keeps the independent count off the thread that feeds the mesh. */
import { parentPort } from "node:worker_threads";
import { crc32 } from "node:zlib";
import type { CountReply, CountRequest } from "./count-messages.ts";
import { recount } from "./recount.ts";
import { Tally } from "./tally.ts";

const tally = new Tally();
let digest = 0;

function answer(reply: CountReply): void {
  parentPort?.postMessage(reply);
}

parentPort?.on("message", (request: CountRequest) => {
  switch (request.kind) {
    case "chunk":
      digest = crc32(request.bytes, digest);
      tally.push(request.bytes);
      answer({ kind: "credit", bytes: request.bytes.length });
      break;
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
