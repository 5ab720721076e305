/**
 * The service `cell` of a durable cell's program: how it replies.
 *
 * SV1. A reply leaves after everything before it is on the disk, the message it answers included: that is what the domain does for every call.
 * SV2. It may be made again when its outcome was not recorded: the link table takes the first reply of an ask, and a repetition is the same.
 */
import type { DurableService } from "@glia-os/durable";
import { BadReplyError } from "../errors.ts";
import type { Asker } from "../runner-port.ts";
import { askerOf, isReply, MESSAGE_BYTES_MAX, type Reply } from "./cell-message.ts";

/** The name under which a program uses it. */
export const CELL_SERVICE = "cell";

/** The service of one cell. `replied` hears of each reply. */
export function cellService(replied: (asker: Asker, payload: Uint8Array) => void): DurableService {
  return {
    repeatable: true,
    service: {
      kind: "tool",
      name: CELL_SERVICE,
      concurrency: 65_536,
      perform: (request, settle) => {
        const reply = checked(request);
        replied(askerOf(reply.reply), reply.payload);
        settle.ok(reply);
        return undefined;
      },
    },
  };
}

function checked(request: unknown): Reply {
  if (!isReply(request)) throw new BadReplyError("it is not { reply: ID, payload: BYTES }");
  const { reply, payload } = request;
  if (payload.length > MESSAGE_BYTES_MAX)
    throw new BadReplyError(`it has ${payload.length} bytes of at most ${MESSAGE_BYTES_MAX}`);
  return { reply, payload };
}
