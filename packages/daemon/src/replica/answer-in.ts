/**
 * Which request a message in a mailbox answers, if its node wrote it as an answer (host-message.ts).
 *
 * AI1. Anything else, rubbish included, answers nothing.
 */
import { isAgentId } from "@glia-os/cells/agent";

/** An answer. */
export interface AnswerIn {
  readonly request: number;
  /** The id in its value: of a child that was made. */
  readonly child: string | undefined;
}

const BEGINNING = new TextEncoder().encode('{"host":"answer"');

/** The answer in a message; undefined for anything else (AI1). O(1) for what is none. */
export function answerIn(payload: Uint8Array): AnswerIn | undefined {
  if (!BEGINNING.every((byte, at) => payload[at] === byte)) return undefined;
  try {
    const { request, value } = JSON.parse(new TextDecoder().decode(payload)) as Readonly<
      Record<string, unknown>
    >;
    if (typeof request !== "number") return undefined;
    const { id } = (value ?? {}) as { readonly id?: unknown };
    return { request, child: isAgentId(id) ? id : undefined };
  } catch {
    return undefined;
  }
}
