/**
 * The service `cell` of a durable cell's program: how it replies, and how it asks for what concerns others.
 *
 * SV1. A reply leaves after everything before it is on the disk, the message it answers included: that is what the domain does for every call.
 * SV2. It may be made again when its outcome was not recorded: the link table takes the first reply of an ask, and a repetition is the same.
 * SV3. Acts take effect by their outcome (cell-ledger.ts): a call whose outcome was not recorded did nothing, and is made again.
 */
import type { DurableCall, DurableService } from "@glia-os/durable";
import type { Settle } from "@glia-os/kernel";
import { BadReplyError } from "../errors.ts";
import type { Asker } from "../runner-port.ts";
import { type Acted, actsIn, type CellAct } from "./cell-act.ts";
import { askerOf, isReply, MESSAGE_BYTES_MAX, type Reply } from "./cell-message.ts";

/** The name under which a program uses it. */
export const CELL_SERVICE = "cell";

/** What stands behind it. */
export interface CellServiceParts {
  /** Hears of each reply. */
  replied(asker: Asker, payload: Uint8Array): void;
  /** Call once what was asked for before has left. */
  after(run: () => void): void;
  /** Take acts: settles when there is room. @throws {NotInDomainError} for a cell that does not talk to others */
  act(acts: readonly CellAct[], settle: Settle<Acted>, call: DurableCall): (() => void) | undefined;
}

/** The service of one cell. */
export function cellService({ replied, after, act }: CellServiceParts): DurableService {
  return {
    repeatable: true,
    service: {
      kind: "tool",
      name: CELL_SERVICE,
      concurrency: 65_536,
      perform: (request, settle, call) => {
        const acts = actsIn(request);
        if (acts !== undefined) return act(acts, settle as Settle<Acted>, call as DurableCall);
        const reply = checked(request);
        after(() => {
          replied(askerOf(reply.reply), reply.payload);
          settle.ok(reply);
        });
        return undefined;
      },
    },
  };
}

function checked(request: unknown): Reply {
  if (!isReply(request))
    throw new BadReplyError("it is neither { reply: ID, payload: BYTES } nor { acts: ACTS }");
  const { reply, payload } = request;
  if (payload.length > MESSAGE_BYTES_MAX)
    throw new BadReplyError(`it has ${payload.length} bytes of at most ${MESSAGE_BYTES_MAX}`);
  return { reply, payload };
}
