/**
 * What an agent wants of its node, on its way: acts of the service `agents` (docs/spec/agents-service.md), made when nothing else is left to run.
 *
 * OG1. Acts are done in the order in which they were asked for, each once: a call that was refused changed nothing and is made again, or its
 *      act is dropped and said in the log.
 * OG2. A batch is one call; the agent stands still meanwhile. An agent that moves takes acts that were not made along.
 * OG3. At most {@link ACTS_MAX} wait.
 */
import { AGENTS_CAPABILITY, AGENTS_MODULE } from "./agents-grant.ts";
import { host } from "./host.ts";
import { sys } from "./sys.ts";
import { Utf8Decoder } from "./text-encoding.ts";
import { setTimer } from "./timers.ts";

/** Acts that wait for their call, at most. */
export const ACTS_MAX = 8192;
/** Acts above which a sender is asked to hold back. */
export const ACTS_HIGH = 512;
/** What one call takes. */
const BATCH_ACTS = 512;
const BATCH_UNITS = 300_000;
/** Room for what the host says of a failure. */
const FAILURE_BYTES = 8192;
const AGAIN_MS = 20;
const E_FAILED = -10;

const waiting: string[] = [];
let paused = false;

/** How many wait. */
export function actsWaiting(): number {
  return waiting.length;
}

/** Have an act done: its JSON. */
export function act(json: string): void {
  waiting.push(json);
}

/** Make one call, if there is something to do; whether there was. */
export function sendActs(): boolean {
  if (waiting.length === 0 || paused) return false;
  let count = 0;
  for (let units = 0; count < waiting.length && count < BATCH_ACTS; count++) {
    units += waiting[count]!.length;
    if (count > 0 && units > BATCH_UNITS) break;
  }
  const done = host.d(AGENTS_CAPABILITY, `[${waiting.slice(0, count).join(",")}]`);
  if (done >= 0) waiting.splice(0, count);
  else refused(done, count);
  return true;
}

/** OG1. */
function refused(code: number, count: number): void {
  const why = code === E_FAILED ? failure() : `${AGENTS_MODULE} refused it with ${code}`;
  if (why.startsWith("daemon.outbox-full")) {
    paused = true;
    setTimer(
      () => {
        paused = false;
      },
      AGAIN_MS,
      false,
    );
    return;
  }
  if (count > 1 && code === E_FAILED) {
    // One of them is wrong: make the first alone.
    const [first] = waiting.splice(0, 1);
    if (host.d(AGENTS_CAPABILITY, `[${first}]`) >= 0) return;
  } else waiting.splice(0, count);
  sys.log("error", `what the agent asked its node for was not done: ${why}`);
}

function failure(): string {
  const bytes = host.g(FAILURE_BYTES);
  if (typeof bytes === "number") return "it failed";
  const { code, message } = JSON.parse(new Utf8Decoder().decode(bytes)) as { code: string; message: string };
  return `${code}: ${message}`;
}
