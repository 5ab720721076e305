/** The syscalls of a kernel that checks references (`check.ts`): what goes from task to task is looked at first. */
import type { Call } from "../call.ts";
import type { Handle } from "../handle.ts";
import type { Operation } from "../operation.ts";
import type { Selected } from "../sys.ts";
import { TaskSys } from "../task-sys.ts";
import { SENDING, type Wait } from "../wait.ts";
import { checkSendable } from "./check.ts";

/** Refuses a message that holds a `Ref` or an unmoved `Iso` before anything happens. */
export class CheckedSys extends TaskSys {
  override send<Message>(target: Handle<Message>, message: Message): Operation<void> {
    checkSendable(message);
    return super.send(target, message);
  }

  override trySend<Message>(target: Handle<Message>, message: Message): boolean {
    checkSendable(message);
    return super.trySend(target, message);
  }

  override call<Answer = unknown>(target: Handle, message: unknown, timeoutMs?: number): Operation<Answer> {
    checkSendable(message);
    return super.call<Answer>(target, message, timeoutMs);
  }

  override reply(call: Call, answer: unknown): void {
    checkSendable(answer);
    super.reply(call, answer);
  }

  override select<const Waits extends readonly Wait[]>(waits: Waits): Operation<Selected<Waits>> {
    // Anything but a list of waits is refused by `select` itself.
    for (const wait of Array.isArray(waits) ? waits : [])
      if (wait?.kind === SENDING) checkSendable((wait.subject as { message?: unknown }).message);
    return super.select(waits);
  }
}
