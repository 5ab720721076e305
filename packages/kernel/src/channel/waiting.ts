/** Tasks that wait to hand something over, alone or in a `select`: taking what they hold, and telling them that nobody will. */
import { PendingReply } from "../call.ts";
import { CALL } from "../opcodes.ts";
import type { TaskList } from "../task.ts";
import type { Waker } from "../waker.ts";

/** That there is nothing to take. No message can be this value. */
export const NOTHING: unique symbol = Symbol("nothing");

/** What a `select` that waits to send holds in its node. */
export interface Sending {
  readonly message: unknown;
}

/** Take what the first waiting sender holds and let it go on; a caller goes on waiting, now for its reply. */
export function nextSent(waker: Waker, senders: TaskList): unknown {
  const task = senders.shift();
  if (task !== null) {
    const message = task.arg;
    if (task.op !== CALL) waker.resume(task, undefined);
    return message;
  }
  const node = senders.firstNode;
  if (node === null) return NOTHING;
  const { message } = node.offer as Sending;
  waker.resumeSelect(node.task, node.index, undefined);
  return message;
}

/** Fail everybody who stands in a queue. `why` gets the index of the wait inside a `select`, or -1. */
export function failAll(waker: Waker, queue: TaskList, why: (index: number) => Error): void {
  for (let task = queue.shift(); task !== null; task = queue.shift()) {
    if (task.arg instanceof PendingReply) task.arg.caller = null;
    waker.resumeFailing(task, why(-1));
  }
  for (let node = queue.firstNode; node !== null; node = queue.firstNode) {
    const { task, index } = node;
    waker.detach(task);
    waker.resumeFailing(task, why(index));
  }
}
