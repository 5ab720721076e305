/** Runs a guest in a thread of its own and shows what it writes. */
import { Worker } from "node:worker_threads";
import type { Context } from "../context.ts";
import { GuestThreadError } from "../errors.ts";
import { aborted } from "../interrupt.ts";
import type { GuestJob, GuestNews, GuestThreadData } from "./guest-messages.ts";

/** The last word of the thread. */
export type Ended = Extract<GuestNews, { kind: "ended" }>;

const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/** Run to the end. @throws GuestThreadError, or the reason of an interrupt */
export async function runGuest(job: GuestJob, context: Context): Promise<Ended> {
  const unseen = new SharedArrayBuffer(4);
  const workerData: GuestThreadData = { job, unseen };
  const worker = new Worker(workerUrl(), { workerData });
  try {
    const ended = new Promise<Ended>((resolve, reject) => {
      worker.on("message", (news: GuestNews) => {
        if (news.kind === "ended") resolve(news);
        else show(news, context);
        seen(unseen, context);
      });
      worker.on("error", (cause) => reject(new GuestThreadError(cause)));
      worker.on("exit", (code) => reject(new GuestThreadError(`it ended with code ${code}`)));
    });
    return await Promise.race([ended, aborted(context.interrupt)]);
  } finally {
    await worker.terminate();
  }
}

/** Let the thread go on once what it sent is shown and standard output takes more. */
function seen(unseen: SharedArrayBuffer, { terminal }: Context): void {
  const release = (): void => {
    const waiting = new Int32Array(unseen);
    Atomics.sub(waiting, 0, 1);
    Atomics.notify(waiting, 0);
  };
  if (terminal.out.writableNeedDrain === true) terminal.out.once("drain", release);
  else release();
}

function show(news: Exclude<GuestNews, Ended>, { terminal }: Context): void {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
  if (news.kind === "log") {
    const level = LEVELS[news.level] ?? "info";
    terminal.record({ event: "log", level, text: news.text });
    if (!terminal.json) terminal.note(`${level}: ${news.text}`);
  } else if (news.kind === "reply") {
    terminal.record({ event: "reply", text: text(news.bytes) });
    if (!terminal.json) terminal.writeBytes(Buffer.concat([news.bytes, Buffer.from("\n")]));
  } else if (terminal.json) {
    terminal.record({ event: news.stream === 1 ? "stdout" : "stderr", text: text(news.bytes) });
  } else if (news.stream === 1) terminal.writeBytes(news.bytes);
  else terminal.noteBytes(news.bytes);
}

function workerUrl(): URL {
  const source = import.meta.url.endsWith(".ts");
  return new URL(source ? "./guest-worker.ts" : "./guest-worker.js", import.meta.url);
}
