/**
 * Everything of an agent between two messages, as one text: what another interpreter, usually of newer code, goes on with (docs/spec/upgrade.md).
 *
 * PK1. `unpackedProcess(packedText(packed))` is what was packed, values as they are in messages; what is out of shape is refused.
 * PK2. Times in it are durations from when it was packed: clocks of two interpreters have nothing to do with each other.
 */

import type { AgentEnvelope, EnvelopeKind } from "./envelope.ts";
import { ENVELOPE_KINDS } from "./envelope.ts";
import { BadArgumentError } from "./errors.ts";
import { isUnusual } from "./priority.ts";
import { type AgentRef, isAgentRef } from "./reference.ts";
import type { SupervisionPolicy } from "./supervision.ts";
import { checkPolicy } from "./supervision.ts";
import { traceOf } from "./trace.ts";
import { fromJson, toJson } from "./value-codec.ts";

/** A timer; `dueMs` is how long it still takes. */
export interface PackedTimer {
  readonly id: number;
  readonly dueMs: number;
  /** 0 for once. */
  readonly periodMs: number;
  readonly message: string;
  readonly input: unknown;
  readonly ticking: boolean;
}

/** A child, and how long ago it was restarted. */
export interface PackedChild {
  readonly ref: AgentRef;
  readonly policy: SupervisionPolicy;
  readonly restartsMs: readonly number[];
}

/** One agent. */
export interface PackedProcess {
  readonly name: string;
  readonly version: number;
  readonly ref: AgentRef;
  readonly parent: AgentRef | undefined;
  readonly state: unknown;
  /** What its hook `start` got, for a restart. */
  readonly input: unknown;
  /** Whether it handles nothing by request. */
  readonly paused: boolean;
  readonly handled: number;
  readonly dropped: number;
  /** The last numbers that were given to asks, requests and timers: answers of before never fit what is asked later. */
  readonly lastAsk: number;
  readonly lastRequest: number;
  readonly lastTimer: number;
  readonly timers: readonly PackedTimer[];
  readonly children: readonly PackedChild[];
  /** Topics, and the message that each gives. */
  readonly topics: readonly (readonly [string, string])[];
  /** Messages that wait, oldest first. */
  readonly mail: readonly AgentEnvelope[];
}

const FORMAT = 1;

/** As text. @throws {ValueNotPlainError} for a state that is no plain data */
export function packedText(packed: PackedProcess): string {
  const { state, input, timers, mail, ...rest } = packed;
  return JSON.stringify({
    ...rest,
    format: FORMAT,
    state: toJson(state),
    ...(input === undefined ? {} : { input: toJson(input) }),
    timers: timers.map((timer) => ({ ...timer, input: toJson(timer.input) })),
    mail: mail.map((envelope) => ({ ...envelope, input: toJson(envelope.input) })),
  });
}

/** The agent in a text. @throws {BadArgumentError}, {BadEnvelopeError} */
export function unpackedProcess(text: string): PackedProcess {
  const json = jsonIn(text);
  if (json["format"] !== FORMAT) refuse("its format is unknown to this build");
  const { name, version, ref, parent } = json;
  if (typeof name !== "string" || !isCount(version)) return refuse("it does not say what it is");
  if (!isAgentRef(ref) || (parent !== undefined && !isAgentRef(parent))) return refuse("it has no address");
  return {
    name,
    version,
    ref,
    parent,
    state: fromJson(json["state"]),
    input: json["input"] === undefined ? undefined : fromJson(json["input"]),
    paused: json["paused"] === true,
    handled: countIn(json, "handled"),
    dropped: countIn(json, "dropped"),
    lastAsk: countIn(json, "lastAsk"),
    lastRequest: countIn(json, "lastRequest"),
    lastTimer: countIn(json, "lastTimer"),
    timers: listIn(json, "timers").map(timerIn),
    children: listIn(json, "children").map(childIn),
    topics: listIn(json, "topics").map(topicIn),
    mail: listIn(json, "mail").map(envelopeIn),
  };
}

type Json = Readonly<Record<string, unknown>>;

function refuse(why: string): never {
  throw new BadArgumentError("packed agent", why);
}

function jsonIn(text: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("it is not JSON");
  }
  return objectIn(value);
}

function objectIn(value: unknown): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse("it is no object");
  return value as Json;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isDuration(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function countIn(json: Json, field: string): number {
  const value = json[field];
  return isCount(value) ? value : refuse(`its ${field} is no count`);
}

function listIn(json: Json, field: string): readonly unknown[] {
  const value = json[field];
  return Array.isArray(value) ? (value as readonly unknown[]) : refuse(`its ${field} are no list`);
}

function timerIn(value: unknown): PackedTimer {
  const { id, dueMs, periodMs, message, input, ticking } = objectIn(value);
  if (!isCount(id) || !isDuration(dueMs) || !isDuration(periodMs) || typeof message !== "string")
    return refuse("a timer has fields of the wrong type");
  return { id, dueMs, periodMs, message, input: fromJson(input), ticking: ticking === true };
}

function childIn(value: unknown): PackedChild {
  const { ref, policy, restartsMs } = objectIn(value);
  if (!isAgentRef(ref) || checkPolicy(policy) !== undefined || !Array.isArray(restartsMs))
    return refuse("a child has fields of the wrong type");
  return { ref, policy: policy as SupervisionPolicy, restartsMs: restartsMs.filter(isDuration) };
}

function topicIn(value: unknown): readonly [string, string] {
  const [topic, message] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (typeof topic !== "string" || typeof message !== "string") return refuse("a topic is no pair of texts");
  return [topic, message];
}

function envelopeIn(value: unknown): AgentEnvelope {
  const { kind, from, correlation, message, input, priority, trace } = objectIn(value);
  const known = ENVELOPE_KINDS.includes(kind as EnvelopeKind);
  if (!known || !isCount(correlation) || typeof message !== "string")
    return refuse("a message has fields of the wrong type");
  if (from !== undefined && !isAgentRef(from)) return refuse("a message has a sender that is no address");
  const envelope = { kind: kind as EnvelopeKind, from, correlation, message, input: fromJson(input) };
  const { parent, state } = (trace ?? {}) as Json;
  const traced = traceOf(parent, state);
  return {
    ...envelope,
    ...(isUnusual(priority) ? { priority } : {}),
    ...(traced === undefined ? {} : { trace: traced }),
  };
}
