/**
 * The agents of a mesh as a program outside has them: `AgentSystem` over a node, embedded or reached through its control socket.
 *
 * CO1. The same calls mean the same as over the system of one thread.
 * CO2. Messages of one system to one agent arrive in the order of the calls. An ask is settled once.
 * CO3. Agents are spawned from the module that was given for their definition; they outlive the system, unless it made them: `close` ends those.
 * CO4. An agent that is to stop and has not ended within 30 s is terminated: so `stop` and `close` come to an end.
 */

import { randomBytes } from "node:crypto";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { LogFields, LogLevel } from "@glia-os/abi/ports";
import type { WithoutReplica } from "@glia-os/cells";
import {
  type AgentContext,
  type AgentEnvelope,
  type AgentRef,
  type AgentRoutine,
  type AgentSystem,
  type AgentTarget,
  type AnyAgent,
  type AskOptions,
  AskTimeoutError,
  BadArgumentError,
  decodeEnvelope,
  encodeEnvelope,
  errorOf,
  isAgentId,
  isAgentName,
  kindKey,
  NotAStreamError,
  PausedTooLongError,
  prioritised,
  type SpawnInputOf,
  type SpawnOptions,
  SystemClosedError,
  type SystemTellOptions,
  UnknownAgentError,
} from "@glia-os/cells/agent";
import type { NodeApi } from "../node-api.ts";
import { agentError, saysGone } from "./agent-words.ts";
import { answersAsk } from "./answers.ts";
import { askAgent } from "./ask-agent.ts";
import { DefinitionUnknownError } from "./errors.ts";
import { hostMessage } from "./host-message.ts";
import { type MailboxReader, readMailbox } from "./mailbox-reader.ts";
import { MeshObservation } from "./mesh-observation.ts";
import { runOutside } from "./outside-agent.ts";
import { outsideStream } from "./outside-stream.ts";

/** A module of `glia agent build`, or of `buildAgent` of `@glia-os/guest-js/build`; or the bundle of durable agents. */
export interface AgentModuleFile {
  readonly bytes: Uint8Array;
  readonly grants: readonly string[];
  /** `domain`: the bytes are one ES module, whose agents are durable (docs/durable-agents.md). */
  readonly kind?: "domain";
}

/** How an agent is made on a mesh. */
export interface MeshSpawnOptions extends SpawnOptions {
  /**
   * Make it a durable agent, from the bundle that was given for its definition, or make it none. Default: of the first module that was
   * given for it.
   */
  readonly durable?: boolean;
  /** On how many other nodes there is a copy that goes on with it when its own is gone, 1 to 4 (docs/availability.md). Default: none. */
  readonly replicas?: number;
  /** What it does while there is no copy. Default `hold`: it waits. */
  readonly withoutReplica?: WithoutReplica;
}

/** The agents of a mesh. */
export interface MeshAgentSystem extends AgentSystem {
  spawn<Def extends AnyAgent>(
    definition: Def,
    options?: MeshSpawnOptions & SpawnOptions<SpawnInputOf<Def>>,
  ): Promise<AgentRef<Def>>;
}

/** How to connect. */
export interface ConnectOptions {
  /** Which module a definition is in; definitions that are only spoken to need none. */
  readonly modules?: readonly (readonly [AnyAgent, AgentModuleFile])[];
  /** Linear memory of each agent, in pages of 64 KiB. */
  readonly memoryPages?: number;
  /** Log lines of routines of `run`, and of messages that cannot be read. Default: nowhere. */
  readonly log?: (level: LogLevel, message: string, fields: LogFields | undefined) => void;
}

const ASK_TIMEOUT_MS = 5000;
const TIMEOUT_MS_MAX = 2_147_483_647;
const STOP_LOOK_MS = 1000;
/** Between two looks whether an agent has ended. */
const STOP_PAUSE_MS = 10;
/** How long an agent may take to stop before it is terminated: it may be suspended, or not come to an end. */
const STOP_MS = 30_000;
/** How soon an agent that is in the middle of a message is asked again. */
const BUSY_MS = 5;
const ACCEPT_TIMEOUT_MS = 30_000;

/** Connect to the agents of a node's mesh. Nothing is asked of the node before the first call. */
export function connectSystem(node: NodeApi, options: ConnectOptions = {}): MeshAgentSystem {
  return new MeshSystem(node, options);
}

interface Asked {
  readonly to: string;
  readonly message: string;
  readonly settle: (error: unknown, value: unknown) => void;
}

class MeshSystem implements MeshAgentSystem {
  readonly observe: MeshObservation;
  readonly #node: NodeApi;
  readonly #options: ConnectOptions;
  readonly #asks = new Map<number, Asked>();
  readonly #made = new Map<string, AgentRef>();
  #mailbox: Promise<MailboxReader> | undefined;
  #lastAsk = 0;
  #closed = false;

  constructor(node: NodeApi, options: ConnectOptions) {
    this.#node = node;
    this.#options = options;
    this.observe = new MeshObservation(node);
  }

  run<Result>(routine: (ctx: AgentContext) => AgentRoutine<Result>): Promise<Result> {
    if (this.#closed) return Promise.reject(new SystemClosedError());
    const { log = () => undefined } = this.#options;
    const parts = {
      node: this.#node,
      spawn: (definition: AnyAgent, options: SpawnOptions, parent: AgentRef | undefined) =>
        this.#spawn(definition, options, parent),
      log: (_speaker: unknown, level: LogLevel, message: string, fields: LogFields | undefined) =>
        log(level, message, fields),
      refused: this.#refused,
    };
    return runOutside(parts, routine);
  }

  async spawn<Def extends AnyAgent>(definition: Def, options: MeshSpawnOptions = {}): Promise<AgentRef<Def>> {
    const ref: AgentRef = await this.#spawn(definition, options, undefined);
    if (options.detached !== true) this.#made.set(ref.id, ref);
    return ref as AgentRef<Def>;
  }

  ref<Def extends AnyAgent>(_definition: Def, nameOrId: string): AgentTarget<Def> {
    if (isAgentId(nameOrId)) return { id: nameOrId };
    if (isAgentName(nameOrId)) return nameOrId;
    throw new BadArgumentError("nameOrId", "it is neither an id nor a name");
  }

  async find<Def = unknown>(name: string): Promise<AgentRef<Def> | undefined> {
    if (!isAgentName(name)) throw new BadArgumentError("name", "it must be 1 to 64 of a-z 0-9 - . _");
    return this.run(function* (ctx) {
      return yield* ctx.find<Def>(name);
    });
  }

  async tell(
    to: AgentTarget,
    message: string,
    input?: unknown,
    options: SystemTellOptions = {},
  ): Promise<void> {
    const address = this.#address(to);
    const tell = { kind: "tell", from: undefined, correlation: 0, message, input } as const;
    const envelope = prioritised(tell, options.priority);
    if (options.keepMs !== undefined) {
      await this.#keep(address, envelope, options.keepMs);
      return;
    }
    await this.#send(address, envelope);
    try {
      const { sent } = await this.#node.flush(address, ACCEPT_TIMEOUT_MS);
      // A link on which nothing was sent is another one: the first broke, because there is nobody.
      if (sent === 0) throw new UnknownAgentError(address);
    } catch (error) {
      throw agentError(error);
    }
  }

  async ask<Reply>(
    to: AgentTarget,
    message: string,
    input?: unknown,
    { timeoutMs = ASK_TIMEOUT_MS, priority }: AskOptions = {},
  ): Promise<Reply> {
    const address = this.#address(to);
    if (!(timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX))
      throw new BadArgumentError("timeoutMs", `it must be from 1 to ${TIMEOUT_MS_MAX} ms`);
    const { id } = await this.#own();
    const correlation = ++this.#lastAsk;
    return new Promise<Reply>((resolve, reject) => {
      const settle = (error: unknown, value: unknown): void => {
        clearTimeout(timer);
        this.#asks.delete(correlation);
        if (error === undefined) resolve(value as Reply);
        else reject(error);
      };
      const timer = setTimeout(
        () => settle(new AskTimeoutError(to, message, timeoutMs), undefined),
        timeoutMs,
      );
      this.#asks.set(correlation, { to: address, message, settle });
      const envelope = prioritised({ kind: "ask", from: { id }, correlation, message, input }, priority);
      this.#askNode(address, envelope, timeoutMs).catch((error: unknown) => settle(error, undefined));
    });
  }

  stream(
    to: AgentTarget,
    message: string,
    input?: unknown,
    { timeoutMs = ASK_TIMEOUT_MS, priority }: AskOptions = {},
  ): AsyncGenerator<never, never, void> {
    const asked = { to: this.#address(to), message, input, timeoutMs, priority, refused: this.#refused };
    const items = outsideStream(this.#node, asked);
    return items as AsyncGenerator<never, never, void>;
  }

  async stop({ id }: AgentRef): Promise<void> {
    this.#made.delete(id);
    await this.observe.begun();
    try {
      await this.#node.send(id, hostMessage({ host: "stop" }));
      // Gone is gone where it was: who asks then hears that there is nobody.
      for (const untilMs = performance.now() + STOP_MS; performance.now() < untilMs; ) {
        await this.#node.ask(id, hostMessage({ host: "report" }), STOP_LOOK_MS).catch(unlessSilent);
        await new Promise((resolve) => setTimeout(resolve, STOP_PAUSE_MS));
      }
      await this.#node.terminate(id);
    } catch (error) {
      if (!saysGone(error)) throw agentError(error);
    }
  }

  async pause(ref: AgentRef): Promise<void> {
    await askAgent(this.#node, ref, { host: "pause" });
  }

  async resume(ref: AgentRef): Promise<void> {
    await askAgent(this.#node, ref, { host: "resume" });
  }

  /** To another version that the agent's own module defines. */
  async upgrade(ref: AgentRef, definition: AnyAgent, timeoutMs: number = ASK_TIMEOUT_MS): Promise<void> {
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      const answer = await askAgent(this.#node, ref, { host: "upgrade", definition: kindKey(definition) });
      const { error, busy } = (answer ?? {}) as { readonly error?: unknown; readonly busy?: boolean };
      if (error !== undefined) throw errorOf(error);
      if (busy !== true) return;
      if (performance.now() > untilMs) throw new PausedTooLongError(ref, timeoutMs);
      await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const { settle } of [...this.#asks.values()]) settle(new SystemClosedError(), undefined);
    await Promise.all([...this.#made.values()].map((ref) => this.stop(ref).catch(() => undefined)));
    this.observe.close();
    const mailbox = await this.#mailbox?.catch(() => undefined);
    await mailbox?.close();
  }

  #address(to: AgentTarget): string {
    if (this.#closed) throw new SystemClosedError();
    const address = typeof to === "string" ? to : to.id;
    if (isAgentId(address) || isAgentName(address)) return address;
    throw new BadArgumentError("target", "it must be an address, or a name of 1 to 64 of a-z 0-9 - . _");
  }

  /** @throws {DefinitionUnknownError} */
  #moduleOf(definition: AnyAgent, durable: boolean | undefined): AgentModuleFile {
    const isMeant = ({ kind }: AgentModuleFile): boolean =>
      durable === undefined || durable === (kind === "domain");
    const found = this.#options.modules?.find(([one, module]) => one === definition && isMeant(module));
    if (found !== undefined) return found[1];
    throw new DefinitionUnknownError(`${definition.name}${durable === true ? " as a durable agent" : ""}`);
  }

  async #spawn(
    definition: AnyAgent,
    options: MeshSpawnOptions,
    parent: AgentRef | undefined,
  ): Promise<AgentRef> {
    if (this.#closed) throw new SystemClosedError();
    const module = this.#moduleOf(definition, options.durable);
    const { name = ownName(definition.name), on, input, replicas, withoutReplica } = options;
    const { memoryPages } = this.#options;
    const start = { kind: "tell", from: undefined, correlation: 0, message: "start", input } as const;
    try {
      const { agent } = await this.#node.spawn({
        module: module.bytes,
        grants: module.grants,
        ...(module.kind === undefined ? {} : { kind: module.kind }),
        name,
        ...(on === undefined ? {} : { on: String(on) }),
        ...(memoryPages === undefined ? {} : { memoryPages }),
        ...(replicas === undefined ? {} : { replicas }),
        ...(withoutReplica === undefined ? {} : { withoutReplica }),
        begin: {
          definition: kindKey(definition),
          ...(input === undefined ? {} : { input: JSON.parse(encodeEnvelope(start)) as unknown }),
          ...(parent === undefined ? {} : { parent }),
        },
      });
      return { id: agent, name };
    } catch (error) {
      throw agentError(error);
    }
  }

  async #keep(to: string, envelope: AgentEnvelope, keepMs: number): Promise<void> {
    try {
      await this.#node.enqueue(to, new TextEncoder().encode(encodeEnvelope(envelope)), keepMs);
    } catch (error) {
      throw agentError(error);
    }
  }

  async #send(to: string, envelope: AgentEnvelope): Promise<void> {
    const payload = new TextEncoder().encode(encodeEnvelope(envelope));
    try {
      await this.#node.send(to, payload);
    } catch (error) {
      throw agentError(error);
    }
  }

  /** The answer is that of the link when the agent has it at once; else it comes to the mailbox. */
  async #askNode(to: string, envelope: AgentEnvelope, timeoutMs: number): Promise<void> {
    const payload = new TextEncoder().encode(encodeEnvelope(envelope));
    try {
      const reply = await this.#node.ask(to, payload, timeoutMs);
      this.#came(reply, envelope.correlation);
    } catch (error) {
      // The deadline is kept here, for answers of both kinds.
      if (errorCodeOf(error) !== "mesh.link-timeout") throw agentError(error);
    }
  }

  /** The source of chunks that were not asked for is told to give no more. */
  #refuseStream({ to, message, settle }: Asked, correlation: number): void {
    const why = "it gives chunks and was asked for a reply; open it";
    settle(new NotAStreamError(message, why), undefined);
    const cancel = { kind: "credit", correlation, message: "", input: 0 } as const;
    this.#own()
      .then(({ id }) => this.#send(to, { ...cancel, from: { id } }))
      .catch(() => undefined); // It ends with its agent or its mailbox then.
  }

  readonly #refused = (error: unknown): void =>
    this.#options.log?.("warn", `a message was refused: ${(error as Error).message}`, undefined);

  #own(): Promise<MailboxReader> {
    this.#mailbox ??= readMailbox(this.#node, {
      take: (payload) => this.#came(payload),
      refused: this.#refused,
      gone: (error) => {
        const gone = this.#mailbox;
        this.#mailbox = undefined;
        void gone?.then((mailbox) => mailbox.close());
        for (const { settle } of [...this.#asks.values()]) settle(error, undefined);
      },
    });
    return this.#mailbox;
  }

  /** The answer to an ask (AN1); `only`: it came on the link of this one, and answers no other. */
  #came(payload: Uint8Array, only?: number): void {
    const text = new TextDecoder().decode(payload);
    if (text.startsWith('{"host":')) return; // An answer that comes later.
    const envelope = decodeEnvelope(text);
    const { kind, correlation, input } = envelope;
    if (only !== undefined && correlation !== only) return;
    const asked = this.#asks.get(correlation);
    if (asked === undefined || !answersAsk(envelope, { to: asked.to, correlation })) return;
    if (kind === "error") asked.settle(errorOf(input), undefined);
    else if (kind !== "chunk") asked.settle(undefined, input);
    else this.#refuseStream(asked, correlation);
  }
}

function ownName(definition: string): string {
  return `${definition.slice(0, 40)}.${randomBytes(8).toString("hex")}`;
}

/** A question that was not answered in time says nothing; one that cannot be asked does. */
function unlessSilent(error: unknown): void {
  const { code } = (error ?? {}) as { readonly code?: string };
  if (code !== "mesh.link-timeout") throw error;
}
