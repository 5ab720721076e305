/**
 * A stream from an agent as a program outside reads it (docs/spec/agent-message.md, "Streams").
 *
 * OS1. The source is at most 16 chunks ahead: 8 are given back for every 8 that were taken.
 * OS2. Leaving the loop, an item that does not come in time and a mailbox that is gone cancel the stream.
 */
import {
  type AgentEnvelope,
  AskTimeoutError,
  decodeEnvelope,
  encodeEnvelope,
  errorOf,
  type MessagePriority,
  prioritised,
} from "@glia-os/cells/agent";
import type { AgentsApi } from "./agents-api.ts";
import { answersAsk } from "./answers.ts";
import { type MailboxReader, readMailbox } from "./mailbox-reader.ts";

const CREDIT_LOT = 8;
const CORRELATION = 1;

/** Whom to ask for what. */
export interface StreamAsk {
  readonly to: string;
  readonly message: string;
  readonly input: unknown;
  readonly timeoutMs: number;
  readonly priority?: MessagePriority | undefined;
  /** Hears of messages that cannot be read. */
  refused(error: unknown): void;
}

type Item = { readonly value: unknown } | { readonly end: unknown } | { readonly error: unknown };

/** Open a stream; nothing is sent before the first item is asked for. */
export async function* outsideStream(
  node: AgentsApi,
  { to, message, input, timeoutMs, priority, refused }: StreamAsk,
): AsyncGenerator<unknown, unknown, void> {
  const items: Item[] = [];
  let arrived: (() => void) | undefined;
  const put = (item: Item): void => {
    items.push(item);
    arrived?.();
  };
  const mailbox = await readMailbox(node, {
    take: (payload) => {
      const item = itemIn(payload, to);
      if (item !== undefined) put(item);
    },
    refused,
    gone: (error) => put({ error }),
  });
  const send = (envelope: Omit<AgentEnvelope, "from" | "correlation">): Promise<void> =>
    node.actAs(mailbox.id, [
      {
        kind: "send",
        to,
        payload: encoded(mailbox, envelope, envelope.kind === "ask" ? priority : undefined),
      },
    ]);
  let over = false;
  try {
    await send({ kind: "ask", message, input });
    for (let taken = 0; ; ) {
      if (items.length === 0) await within(timeoutMs, (resolve) => (arrived = resolve));
      const item = items.shift();
      if (item === undefined) throw new AskTimeoutError(to, message, timeoutMs);
      over = !("value" in item);
      if ("error" in item) throw item.error;
      if ("end" in item) return item.end;
      yield item.value;
      if (++taken % CREDIT_LOT === 0) await send({ kind: "credit", message: "", input: CREDIT_LOT });
    }
  } finally {
    if (!over) await send({ kind: "credit", message: "", input: 0 }).catch(() => undefined);
    await mailbox.close();
  }
}

function encoded(
  { id }: MailboxReader,
  envelope: Omit<AgentEnvelope, "from" | "correlation">,
  priority: MessagePriority | undefined,
): Uint8Array {
  const whole = { ...envelope, from: { id }, correlation: CORRELATION };
  return new TextEncoder().encode(encodeEnvelope(prioritised(whole, priority)));
}

/** What belongs to the stream (AN1); undefined for anything else. */
function itemIn(payload: Uint8Array, to: string): Item | undefined {
  const envelope = decodeEnvelope(new TextDecoder().decode(payload));
  if (!answersAsk(envelope, { to, correlation: CORRELATION })) return undefined;
  const { kind, input } = envelope;
  if (kind === "chunk") return { value: input };
  if (kind === "end" || kind === "reply") return { end: input };
  return kind === "error" ? { error: errorOf(input) } : undefined;
}

function within(ms: number, wait: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wait(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
