/**
 * The service `listener` of a program: the socket that `--listen` names.
 *
 * LI1. The address is the person's to give: a program can neither choose nor change it. Who calls the service gets a handle to accept
 *      connections and to hand that on, and cannot close the socket for others.
 */
import { RIGHTS } from "@glia-os/abi/syscalls";
import { type Handle, isCall, type Routine, type Sys } from "@glia-os/kernel";

/** The name a program looks up. */
export const LISTENER = "listener";
/** Calls that wait to be taken. */
const INBOX = 1000;

/** The program of the service; its one handle is the socket. */
export function* serveListener(sys: Sys, listener: Handle): Routine<never> {
  const inbox = sys.mailbox({ capacity: INBOX });
  sys.register(LISTENER, inbox, RIGHTS.call | RIGHTS.grant);
  for (;;) {
    const call = yield* sys.receive(inbox);
    if (!isCall(call) || !call.open) continue;
    try {
      sys.reply(call, sys.grant(call.from, listener, RIGHTS.read | RIGHTS.grant));
    } catch (error) {
      sys.refuse(call, error);
    }
  }
}
