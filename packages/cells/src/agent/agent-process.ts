/**
 * The interpreter: one agent, free of its host. The host delivers envelopes, calls `alarm` when it was asked to, and `run` when the agent
 * has work; everything the agent does goes through the host's `AgentOutside`.
 *
 * AP1. One message at a time. While a handler waits, messages wait in order; replies, chunks, credits, deadlines and what the parent says
 *      are taken at once.
 * AP2. A message is refused before it reaches its handler or is handled once. An ask is answered once, also when the agent ends.
 * AP3. No code of the agent runs but inside `run`, and its hook `stop` when the host ends it.
 * AP4. After each message the state fits its contract, or is what it was before and the agent has failed.
 * AP5. An agent that failed handles nothing until its parent restarts or ends it; its messages wait. Without a parent it ends.
 */
import { AWAKE, HELD, LEAVING, PAUSED, STOPPING } from "./asking.ts";
import { type CompiledAgent, compiledOf } from "./compiled-agent.ts";
import { BUSY_FORECAST, MAILBOX_CAPACITY, STREAM_CREDIT, TURN_STEPS, TURN_STEPS_BUSY } from "./constants.ts";
import type { AgentContext, AskOptions } from "./context.ts";
import type { AgentEnvelope } from "./envelope.ts";
import { errorOf, recordOf } from "./error-record.ts";
import { AgentEndedError, UpgradeFailedError, WrongKindError } from "./errors.ts";
import { Handling } from "./handling.ts";
import type { AnyAgent, StopReason } from "./kind.ts";
import { MessageLog } from "./message-log.ts";
import type { MessageRecord } from "./message-record.ts";
import type { AgentOutside, Sent } from "./outside.ts";
import type { PackedProcess } from "./packed-process.ts";
import { PendingAsk } from "./pending-ask.ts";
import { copyOf, passable } from "./plain-value.ts";
import { unusual } from "./priority.ts";
import { type Performer, ProcessContext } from "./process-context.ts";
import type { AgentProfile } from "./profile.ts";
import type { AgentRef, AgentTarget } from "./reference.ts";
import { Emit } from "./stream.ts";
import type { AgentState } from "./system.ts";

const CREATED = 0;
const RUNNING = 1;
const FAILED = 2;
const TERMINATED = 3;
const STATES: readonly AgentState[] = ["created", "running", "failed", "terminated"];

/** The hook `start` is handled like a message from nobody. */
const STARTING: AgentEnvelope = {
  kind: "control",
  from: undefined,
  correlation: 0,
  message: "start",
  input: undefined,
};
const NOT_MEASURED: AgentProfile = {
  messages: 0,
  executionMs: 0,
  messageRate: 0,
  cpuIntensity: 0,
  forecast: 0,
};

/** What an interpreter is made with. */
export interface ProcessOptions {
  readonly ref: AgentRef;
  readonly definition: AnyAgent;
  readonly outside: AgentOutside;
  /** Who is told when it fails, and may restart and end it. */
  readonly parent?: AgentRef | undefined;
  /** What the hook `start` and the first state get. */
  readonly input?: unknown;
  /** It goes on as this was, by another definition of the same name; the hook `start` does not run again. */
  readonly resumed?: PackedProcess;
}

/** One agent. */
export class AgentProcess extends Handling implements Performer {
  readonly parent: AgentRef | undefined;
  #status = CREATED;
  #context: ProcessContext | null = null;

  /**
   * Makes the first state, or that of one that is resumed by `codeChange`; runs no other hook. @throws {BadStateError}, {UpgradeFailedError},
   * {WrongKindError} and what the definition throws
   */
  constructor(options: ProcessOptions) {
    super(options.ref, compiledOf(options.definition), options.outside);
    this.parent = options.parent;
    if (options.resumed !== undefined) {
      this.#resumed(options.resumed);
      return;
    }
    if (options.input !== undefined) this.more().input = options.input;
    this.state = this.kind.firstState(options.input);
    if (this.kind.start !== null) this.rouse();
    else this.#status = RUNNING;
  }

  get host(): AgentOutside {
    return this.outside;
  }

  protected get context(): AgentContext {
    return (this.#context ??= new ProcessContext(this));
  }

  /** The state of the lifecycle. */
  get lifecycle(): AgentState {
    return (this.flags & PAUSED) !== 0 && this.#status === RUNNING ? "suspended" : STATES[this.#status]!;
  }

  /** Whether it is gone. */
  get over(): boolean {
    return this.#status === TERMINATED;
  }

  /** Whether a handler waits in the middle. */
  get busy(): boolean {
    return this.routine !== null;
  }

  // What the host brings

  /** An envelope has come. */
  deliver(envelope: AgentEnvelope): Sent {
    if (this.#status === TERMINATED) return "unknown";
    switch (envelope.kind) {
      case "tell":
      case "ask":
      case "publish":
        if (this.waiting >= MAILBOX_CAPACITY) return "full";
        this.push(envelope);
        if ((this.flags & AWAKE) === 0) this.rouse();
        return this.pressured ? "pressured" : "taken";
      case "credit":
        this.#credit(envelope);
        return "taken";
      case "control":
        this.#control(envelope);
        return "taken";
      default:
        this.settleBy(envelope);
        return "taken";
    }
  }

  /** Do up to `most` steps of work. Returns whether there is more to do now; else the host hears by `wake`. */
  run(most: number): boolean {
    for (let steps = 0; steps < most; steps++) {
      if ((this.flags & (PAUSED | HELD | LEAVING | STOPPING)) !== 0 || this.#status >= FAILED) {
        if (this.#attend()) return this.#rest();
      }
      if (this.#status === CREATED) {
        this.#status = RUNNING;
        this.begin(STARTING, this.kind.start!, this.tables?.input);
      } else if (this.routine !== null) {
        if (!this.waitsFor!.done) return this.#rest();
        this.step();
      } else {
        if (this.tables !== null && this.tables.upgrade !== null) this.#upgrade();
        const envelope = this.take();
        if (envelope === null) return this.#rest();
        this.handle(envelope);
      }
    }
    return true;
  }

  /** Whether it has ended, or rests though messages wait. A handler that is under way goes on, but for an end from outside. */
  #attend(): boolean {
    const { flags } = this;
    if ((flags & STOPPING) !== 0 || ((flags & LEAVING) !== 0 && this.routine === null)) {
      this.end(this.tables?.stopping ?? "stopped");
      return true;
    }
    if (this.routine !== null) return false;
    if (this.#status >= FAILED) return true;
    if ((flags & (PAUSED | HELD)) === 0) return false;
    if (this.tables !== null && this.tables.upgrade !== null && this.#status === RUNNING) this.#upgrade();
    return true;
  }

  #rest(): false {
    this.flags &= ~AWAKE;
    return false;
  }

  /** What a reader allows, of the stream that is handled or of one that waits to be. */
  #credit(envelope: AgentEnvelope): void {
    const { from, correlation, input } = envelope;
    const same = (request: AgentEnvelope | null): boolean =>
      request !== null &&
      request.kind === "ask" &&
      request.correlation === correlation &&
      request.from?.id === from?.id;
    const chunks = typeof input === "number" ? input : 0;
    const source = this.tables?.source ?? null;
    if (source !== null && same(this.request)) {
      if (chunks === 0) source.closed = true;
      else source.credit = Math.min(STREAM_CREDIT, source.credit + chunks);
      if (this.waitsFor instanceof Emit) this.waitsFor.done = true;
      this.notice();
    } else if (chunks === 0) this.takeOut(same);
  }

  /** What a parent says to its child, or a child to its parent (docs/spec/agent-message.md, "Control"). */
  #control(envelope: AgentEnvelope): void {
    const { from, message, input } = envelope;
    const children = this.tables?.hasChildren ? this.tables.children : null;
    if (from !== undefined && from.id === this.parent?.id) {
      if (message === "stop") this.stop(input === "parent-ended" ? input : "stopped");
      else if (message === "restart" && this.#status === FAILED) this.#restart();
    } else if (from !== undefined && children?.has(from.id) === true) {
      if (message === "ended") children.remove(from.id);
      else if (message === "failed") this.#judge(from, input);
    } else this.dropped++;
  }

  // Supervision

  #judge(child: AgentRef, input: unknown): void {
    const verdict = this.more().children.verdict(child.id, this.monotonicMs());
    const { code, message } = errorOf(input).toRecord();
    this.outside.log(this, "warn", "a child failed", {
      child: child.name ?? child.id,
      code,
      error: message,
      verdict,
    });
    if (verdict === "restart") this.#order(child, "restart");
    else {
      this.#order(child, "stop");
      if (verdict === "escalate") this.fail(errorOf(input));
    }
  }

  #order(child: AgentRef, message: string, input?: unknown): void {
    this.send(child, { kind: "control", from: this.ref, correlation: 0, message, input });
  }

  protected fail(error: unknown): void {
    if (this.#status >= FAILED) return;
    this.#interrupt(error);
    this.#status = FAILED;
    this.more().error = error;
    const record = recordOf(error, this.handling);
    this.outside.log(this, "error", "the agent failed", { code: record.code, error: record.message });
    if (this.parent === undefined || this.#report("failed", record) === "unknown") this.stop("failed");
  }

  #report(message: string, input: unknown): Sent {
    return this.send(this.parent!, { kind: "control", from: this.ref, correlation: 0, message, input });
  }

  /** A handler that waits is unwound, and who asked for it hears why. */
  #interrupt(error: unknown): void {
    if (this.routine === null) return;
    const { request } = this;
    this.unwind();
    if (request?.kind === "ask") this.reply(request, "error", recordOf(error, this.handling));
    this.request = null;
    this.message = null;
    this.closeAsks();
  }

  #restart(): void {
    this.#stopHook("restart");
    this.#release();
    this.more().error = undefined;
    try {
      this.state = this.kind.firstState(this.tables?.input);
    } catch (error) {
      this.#status = RUNNING;
      this.fail(error);
      return;
    }
    this.#status = this.kind.start === null ? RUNNING : CREATED;
    this.rouse();
  }

  // The end

  /** End it: at once in its next run; a handler that waits is unwound. */
  stop(reason: StopReason): void {
    if (this.#status === TERMINATED) return;
    this.more().stopping ??= this.#status === FAILED ? "failed" : reason;
    this.flags |= STOPPING;
    this.rouse();
  }

  stopSelf(): void {
    this.flags |= LEAVING;
    this.rouse();
  }

  stopChild(child: AgentRef): void {
    this.#order(child, "stop", "stopped");
  }

  /** End it now. For hosts whose task has ended; others call `stop`. */
  end(reason: StopReason): void {
    if (this.#status === TERMINATED) return;
    if (this.routine !== null) this.#interrupt(new AgentEndedError(this.ref, reason));
    this.#stopHook(reason);
    this.#status = TERMINATED;
    if (this.hasMail) this.#answerAll(reason);
    this.#release();
    this.closeAsks();
    for (const ask of this.tables?.asks() ?? []) ask.settle(true, new AgentEndedError(this.ref, reason));
    const error = this.tables?.error;
    const failure = error === undefined ? undefined : recordOf(error, this.handling);
    if (this.parent !== undefined)
      this.#report("ended", failure === undefined ? { reason } : { reason, error: failure });
    this.tables?.upgrade?.done(new AgentEndedError(this.ref, reason));
    this.outside.ended(this, reason, error);
  }

  /** Whoever waits for an answer hears that there will be none (AP2). */
  #answerAll(reason: StopReason): void {
    const record = new AgentEndedError(this.ref, reason).toRecord();
    for (const envelope of this.takeOut(() => true)) {
      if (envelope.kind === "ask") this.reply(envelope, "error", record);
      else this.dropped++;
    }
  }

  #stopHook(reason: StopReason): void {
    const { definition } = this;
    if (definition.stop === undefined || this.#status === CREATED) return;
    try {
      definition.stop(this.context, reason);
    } catch (error) {
      const { code, message } = recordOf(error, "stop");
      this.outside.log(this, "warn", "the hook stop failed", { code, error: message });
    }
    this.armed = null;
  }

  /** Give up children, timers and topics. */
  #release(): void {
    const { tables } = this;
    if (tables === null) return;
    if (tables.hasChildren)
      for (const child of tables.children.refs()) {
        this.#order(child, "stop", "parent-ended");
        tables.children.remove(child.id);
      }
    for (const topic of tables.clear()) this.outside.unsubscribe(this, topic);
  }

  // What systems offer

  /** Handle nothing from the next message on. */
  pause(): void {
    this.flags |= PAUSED;
  }

  /** Go on. */
  resume(): void {
    this.flags &= ~PAUSED;
    this.rouse();
  }

  /**
   * Take a new definition over between two messages; `done` hears undefined, or why it was not. One that waits is given up for a later.
   * Returns the function that gives it up.
   */
  upgrade(definition: AnyAgent, done: (error: unknown) => void): () => void {
    const tables = this.more();
    const pending = { definition, done };
    tables.upgrade?.done(new UpgradeFailedError(this.ref, "a later upgrade took its place"));
    tables.upgrade = pending;
    this.rouse();
    return () => {
      if (tables.upgrade === pending) tables.upgrade = null;
    };
  }

  #upgrade(): void {
    const tables = this.more();
    const { definition, done } = tables.upgrade!;
    tables.upgrade = null;
    const old = this.kind;
    let failure: unknown;
    try {
      if (definition.name !== old.definition.name)
        throw new WrongKindError(old.definition.name, definition.name);
      const next = compiledOf(definition);
      const state = next.definition.codeChange === undefined ? this.state : copyOf(this.state);
      const checked = this.#changed(next, state, old.definition.version);
      this.kind = next;
      this.state = checked;
    } catch (error) {
      failure =
        error instanceof UpgradeFailedError || error instanceof WrongKindError
          ? error
          : new UpgradeFailedError(this.ref, error);
    }
    done(failure);
  }

  /** The state as a kind takes it over. @throws {UpgradeFailedError} and what `codeChange` throws */
  #changed(next: CompiledAgent, state: unknown, fromVersion: number): unknown {
    const { codeChange } = next.definition;
    const checked = next.checked(codeChange === undefined ? state : codeChange(state, fromVersion));
    const why = next.contract ? next.violation(checked) : undefined;
    if (why !== undefined) throw new UpgradeFailedError(this.ref, why);
    return checked;
  }

  /** Begin no other message, whatever `pause` and `resume` say; or begin them again. */
  hold(on: boolean): void {
    this.flags = on ? this.flags | HELD : this.flags & ~HELD;
    this.rouse();
  }

  /** Everything that another interpreter goes on with; undefined in the middle of a message, or when it is about to end. */
  packed(): PackedProcess | undefined {
    if (this.routine !== null || this.#status !== RUNNING || (this.flags & (LEAVING | STOPPING)) !== 0)
      return undefined;
    const mail: AgentEnvelope[] = [];
    this.takeOut((envelope) => mail.push(envelope) === 0);
    const { name, version } = this.definition;
    const { ref, parent, state, handled, dropped } = this;
    const paused = (this.flags & PAUSED) !== 0;
    const tables = this.more().packed(this.monotonicMs());
    return { name, version, ref, parent, state, paused, handled, dropped, mail, ...tables };
  }

  #resumed(packed: PackedProcess): void {
    const { name, version, codeChange } = this.definition;
    if (packed.name !== name) throw new WrongKindError(packed.name, name);
    if (packed.version < version && codeChange === undefined) {
      const why = `version ${version} has no codeChange, and the agent is of version ${packed.version}`;
      throw new UpgradeFailedError(this.ref, why);
    }
    this.state = this.#changed(this.kind, packed.state, packed.version);
    this.#status = RUNNING;
    this.handled = packed.handled;
    this.dropped = packed.dropped;
    const nowMs = this.monotonicMs();
    this.more().restore(packed, nowMs);
    if (packed.paused) this.flags |= PAUSED;
    for (const envelope of packed.mail) this.push(envelope);
    this.wakeAt(this.more().nextDeadline(), nowMs);
    if (this.hasMail) this.rouse();
  }

  /** Ask for a host: `settled` hears how it ended instead of a routine. @throws as `AgentContext.ask` */
  askFor(
    to: AgentTarget,
    message: string,
    input: unknown,
    settled: (ask: PendingAsk) => void,
    options: AskOptions = {},
  ): void {
    const ask = new PendingAsk(this, {
      to,
      message,
      input: passable(input),
      timeoutMs: options.timeoutMs ?? 5000,
      priority: unusual(options.priority),
    });
    ask.listener = settled;
    this.perform(ask);
  }

  /** Keep the last messages, or no longer with 0. @throws {BadArgumentError} */
  keepLog(entries: number): void {
    this.more().log = entries === 0 ? null : new MessageLog(entries);
  }

  /** The messages that are kept. */
  messageLog(): readonly MessageRecord[] {
    return this.tables?.log?.records() ?? [];
  }

  /**
   * The host has measured the last `sampled` messages: so many milliseconds of computing. What the profile now expects sets the length of
   * the agent's turns.
   */
  measured(sampled: number, busyMs: number, nowMs: number): void {
    const tables = this.more();
    tables.profile.sample(this.handled, sampled, busyMs, nowMs);
    tables.turnSteps = this.profile().forecast > BUSY_FORECAST ? TURN_STEPS_BUSY : TURN_STEPS;
  }

  /** Messages it should handle in one turn of its task. */
  get turnSteps(): number {
    return this.tables === null ? TURN_STEPS : this.tables.turnSteps;
  }

  /** The averages. */
  profile(): AgentProfile {
    const meter = this.tables?.meter ?? null;
    if (meter === null) return { ...NOT_MEASURED, messages: this.handled };
    const { forecast } = this.definition;
    return meter.read(this.handled, forecast === undefined ? undefined : (profile) => forecast(profile));
  }

  /** Agents that a place held are gone with it: asks of them fail, and children among them have ended. */
  lost(gone: (ref: AgentRef) => boolean, error: (ref: AgentRef) => Error): void {
    for (const ask of this.tables?.asks() ?? [])
      if (typeof ask.to === "object" && gone(ask.to)) this.failAsk(ask, error(ask.to));
    for (const child of this.children()) if (gone(child)) this.tables?.children.remove(child.id);
  }

  /** Children that live. */
  children(): readonly AgentRef[] {
    return this.tables?.hasChildren ? this.tables.children.refs() : [];
  }
}
