/** A provider of chat completions on loopback, for tests: answers what the test says, and remembers what it was asked. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { CancelSignal, Model, Timers } from "@glia-os/abi/ports";
import { createSystemClock, createSystemRandom } from "@glia-os/hal";
import { createHttpClient } from "@glia-os/host";
import { type ChatClientOptions, createChatModel } from "@glia-os/inference";

/** One request as it arrived. */
export interface Asked {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** How one request is answered. */
export type Reply = (response: ServerResponse, asked: Asked) => void;

/** A JSON answer. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return (response) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** A stream of events. */
export function events(...values: unknown[]): Reply {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const value of values) response.write(`data: ${JSON.stringify(value)}\n\n`);
    response.end("data: [DONE]\n\n");
  };
}

/** A whole completion. */
export function completion(content: string, more: object = {}): object {
  return {
    id: "c1",
    model: "m",
    choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    ...more,
  };
}

/** Never raised. */
export const NEVER: CancelSignal = { cancelled: false, reason: undefined, onCancel: () => () => undefined };

/** A provider that runs. */
export interface Provider {
  readonly asked: readonly Asked[];
  /** How long the clients made here waited between attempts. */
  readonly waits: readonly number[];
  readonly origin: string;
  model(options?: Partial<ChatClientOptions>): Model;
  stop(): Promise<void>;
}

/** Start one that gives the replies in order, the last for ever. */
export async function startProvider(...replies: Reply[]): Promise<Provider> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>;
    const all: Asked = { url: request.url ?? "", headers: request.headers, body };
    replies[Math.min(asked.push(all), replies.length) - 1]!(response, all);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const waits: number[] = [];
  const timers: Timers = {
    schedule(delayMs, fire) {
      waits.push(delayMs);
      queueMicrotask(fire);
      return { cancel: () => undefined };
    },
  };
  const model = (options: Partial<ChatClientOptions> = {}) =>
    createChatModel({
      http: createHttpClient({ origins: [origin], privateAddresses: true }),
      clock: createSystemClock(),
      timers,
      random: createSystemRandom(),
      baseUrl: `${origin}/v1`,
      model: "m",
      ...options,
    });
  const stop = () => new Promise<void>((done) => void server.close(() => done()));
  return { asked, waits, model, origin, stop };
}
