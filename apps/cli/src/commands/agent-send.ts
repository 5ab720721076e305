/** `glia agent send`: one message to an agent, and its reply with `--ask`. */

import { decodeEnvelope, encodeEnvelope, type MessagePriority, prioritised } from "@glia-os/cells/agent";
import type { AgentView } from "@glia-os/daemon";
import { messageInput, priorityOf, timeoutOf } from "../agent-source/message-input.ts";
import { type Context, unlessInterrupted } from "../context.ts";
import { MessageTooLongError, UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { chooseAgent } from "../node/choose-agent.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { readAll } from "../node/first-line.ts";
import { answered } from "../node/name-agent.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { parseTime } from "./join-line-limits.ts";

/** Longest message this command takes: what one call over the control socket carries with room to spare. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

const KEEP_BOUNDS = { minMs: 1000, maxMs: 604_800_000, range: "1s to 7d" } as const;

/** Its options. */
export interface AgentSendOptions extends NodeChoice {
  readonly ask?: boolean;
  readonly hex?: boolean;
  readonly timeout: string;
  readonly priority?: string;
  readonly keep?: string | true;
}

/** Run it. Without `--ask` it returns when the agent's node acknowledged that the message is in the mailbox. With `json` it is a message with that input. */
export async function agentSend(
  text: string,
  message: string,
  json: string | undefined,
  options: AgentSendOptions,
  context: Context,
): Promise<ExitCode> {
  const timeoutMs = timeoutOf(options.timeout);
  const priority = priorityOf(options.priority);
  const named = json === undefined ? undefined : tell(message, messageInput(json), priority);
  const keepMs = keepOf(options);
  if (named === undefined && priority !== undefined) throw withoutInput();
  const payload = named ?? (await payloadOf(message, options.hex === true, context.stdin));
  const { terminal } = context;
  const work = withNode(options, async (node) => {
    const found = await chooseAgent(node, text);
    const { agent } = found;
    if (named === undefined) checkPlain(text, message, payload, found, terminal);
    if (keepMs !== undefined) {
      const { id, untilMs } = await node.enqueue(agent, payload, keepMs);
      terminal.record({ ok: true, agent, bytes: payload.length, queued: { id, untilMs } });
      terminal.line(
        `message ${id} is kept until ${new Date(untilMs).toISOString()}; see \`glia agent queue\``,
      );
    } else if (options.ask === true) {
      const reply = await answered(node, found, node.ask(agent, payload, timeoutMs));
      terminal.record({
        ok: true,
        agent,
        reply: replyText(reply),
        replyHex: Buffer.from(reply).toString("hex"),
      });
      terminal.line(options.hex === true ? Buffer.from(reply).toString("hex") : replyText(reply));
    } else {
      await node.send(agent, payload);
      const link = await answered(node, found, node.flush(agent, timeoutMs));
      terminal.record({ ok: true, agent, bytes: payload.length, link });
    }
  });
  await unlessInterrupted(context, work);
  return EXIT.ok;
}

function tell(message: string, input: unknown, priority: MessagePriority | undefined): Uint8Array {
  const envelope = { kind: "tell", from: undefined, correlation: 0, message, input } as const;
  return new TextEncoder().encode(encodeEnvelope(prioritised(envelope, priority)));
}

/** What `--keep` says, in milliseconds. @throws {UsageError} */
function keepOf({ keep, ask }: AgentSendOptions): number | undefined {
  if (keep === undefined) return undefined;
  if (ask === true)
    throw new UsageError(
      "--keep and --ask exclude each other",
      "A message that is kept has no reply: leave one out.",
    );
  return parseTime("--keep", keep === true ? "1h" : keep, KEEP_BOUNDS);
}

/**
 * An agent that takes messages by name would drop bytes that are no envelope: they are not sent. Of one whose node does not answer that is not
 * known, and said. @throws {UsageError}
 */
function checkPlain(
  text: string,
  message: string,
  payload: Uint8Array,
  { live }: AgentView,
  terminal: Terminal,
): void {
  if ((live !== undefined && live.speaks !== true) || isEnvelope(payload)) return;
  const who = text.slice(0, 80);
  const shown = /^[\w.-]{1,64}$/.test(message) && message !== "-" ? message : "MESSAGE";
  const how = `\`glia agent send ${who} ${shown} JSON\`, with null for none`;
  if (live !== undefined)
    throw new UsageError(
      `${who} takes messages by name and with an input, and this one has none, so it was not sent`,
      `Give the input: ${how}; \`glia agent ask\` waits for the reply.`,
    );
  terminal.note(
    `glia: the node of ${who} does not answer: if it takes messages by name, this one is lost; use ${how}`,
  );
}

/** Whether bytes are a message with a name already, as programs write it. */
function isEnvelope(payload: Uint8Array): boolean {
  try {
    decodeEnvelope(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    return true;
  } catch {
    return false;
  }
}

/** Bytes have no place for a priority. */
function withoutInput(): UsageError {
  return new UsageError(
    "--priority goes with a message that has an input",
    "Give the name of the message and its input as JSON, `null` for none.",
  );
}

/** Text as it is; anything else as hexadecimal, which every terminal survives. */
export function replyText(reply: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(reply);
  } catch {
    return Buffer.from(reply).toString("hex");
  }
}

async function payloadOf(message: string, hex: boolean, stdin: NodeJS.ReadStream): Promise<Uint8Array> {
  const bytes = message === "-" ? await readAll(stdin, MESSAGE_BYTES_MAX) : new TextEncoder().encode(message);
  if (bytes === undefined || bytes.length > MESSAGE_BYTES_MAX)
    throw new MessageTooLongError(MESSAGE_BYTES_MAX);
  if (!hex) return bytes;
  const digits = new TextDecoder().decode(bytes).replaceAll(/\s/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits))
    throw new UsageError("the message is not hexadecimal", "With --hex, write two digits 0-9 a-f per byte.");
  return new Uint8Array(Buffer.from(digits, "hex"));
}
