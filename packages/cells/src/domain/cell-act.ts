/**
 * What a durable cell asks of its node for others, what its node tells it, and what leaves: plain data (docs/spec/domain-cell.md, "Talking").
 *
 * CT1. What a program asks for is checked whole before any of it is taken.
 */
import type { LinkId } from "@glia-os/mesh-core";
import { isAgentId, isAgentName } from "../agent/reference.ts";

/** One wish, as the service `cell` takes it in `{ acts: [...] }`. `request` comes back with the answer. */
export type CellAct =
  | { readonly act: "send"; readonly to: string; readonly payload: Uint8Array }
  | { readonly act: "publish"; readonly topic: string; readonly payload: Uint8Array }
  | { readonly act: "subscribe" | "unsubscribe"; readonly topic: string }
  | { readonly act: "find"; readonly request: number; readonly name: string }
  | { readonly act: "spawn"; readonly request: number; readonly child: CellChild }
  /** Who made this agent; that a child of it is gone. */
  | { readonly act: "parent" | "gone"; readonly agent: string };

/** A child to make, of the bundle of its parent. */
export interface CellChild {
  /** The key of its definition within the bundle. */
  readonly definition: string;
  readonly name: string;
  /** A member. Default: the node of the parent. */
  readonly on?: string;
  /** An envelope whose input the hook `start` gets. */
  readonly input?: unknown;
  /** It goes on when its parent ends. */
  readonly detached?: true;
}

/** What a node tells a cell, kept as a message of its inbox. */
export type CellNote =
  /** Who has a name; null for nobody: then the first `count` messages that wait for it are lost, and those asks with them. */
  | {
      readonly note: "named";
      readonly name: string;
      readonly agent: string | null;
      readonly count: number;
      readonly lost: readonly number[];
    }
  /** Who heard a topic when it was published to. */
  | { readonly note: "subscribers"; readonly publication: number; readonly agents: readonly string[] }
  /** The answer to a find or a spawn. */
  | { readonly note: "answer"; readonly request: number; readonly value: unknown }
  | { readonly note: "answer"; readonly request: number; readonly error: unknown }
  /** A link to nobody: what it had up to a number is lost, and these asks with it. */
  | {
      readonly note: "broken";
      readonly link: LinkId;
      readonly to: string;
      readonly upTo: number;
      readonly lost: readonly number[];
    };

/** What a node tells an agent that is to be upgraded: have a checkpoint as soon as no handler is under way, and begin none before it; or go on without. */
export interface RestNote {
  readonly note: "rest" | "go";
}

/** Whether a note is one of these. */
export function isRestNote(note: CellNote | RestNote): note is RestNote {
  return note.note === "rest" || note.note === "go";
}

/** What leaves a cell once the record it follows from is durable. */
export type CellEffect =
  | {
      readonly effect: "send";
      readonly to: string;
      readonly link: LinkId;
      readonly seq: number;
      readonly payload: Uint8Array;
    }
  /** A link goes on: `held` are the messages up to `next - 1` that may not have arrived. */
  | {
      readonly effect: "line";
      readonly to: string;
      readonly link: LinkId;
      readonly next: number;
      readonly held: readonly Uint8Array[];
    }
  | { readonly effect: "close"; readonly link: LinkId }
  | { readonly effect: "resolve"; readonly name: string }
  | { readonly effect: "who"; readonly publication: number; readonly topic: string }
  | { readonly effect: "find"; readonly request: number; readonly name: string }
  | { readonly effect: "spawn"; readonly request: number; readonly child: CellChild }
  | { readonly effect: "topics"; readonly topics: readonly string[] }
  | { readonly effect: "family"; readonly parent: string | undefined; readonly children: readonly string[] };

/** What a call with acts comes to. */
export interface Acted {
  readonly acts: readonly CellAct[];
  /** Up to which number links were acknowledged when the call was made. */
  readonly settled: readonly (readonly [LinkId, number])[];
  /** Which of the calls and notes of its process this is. */
  readonly serial: number;
  /** What is on its way with these acts: messages, and the bytes of their payloads. */
  readonly held: { readonly messages: number; readonly bytes: number };
}

/** Acts in one call. */
export const ACTS_MAX = 1024;

/** What a request asks for; undefined when it asks for no acts (CT1). */
export function actsIn(request: unknown): readonly CellAct[] | undefined {
  const acts: unknown = (request as { readonly acts?: unknown } | null)?.acts;
  if (!Array.isArray(acts) || acts.length > ACTS_MAX) return undefined;
  return acts.every(isAct) ? (acts as readonly CellAct[]) : undefined;
}

function isAct(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { act, to, payload, topic, request, name, child, agent } = value as Readonly<Record<string, unknown>>;
  switch (act) {
    case "send":
      return (isAgentId(to) || isAgentName(to)) && payload instanceof Uint8Array;
    case "publish":
      return isAgentName(topic) && payload instanceof Uint8Array;
    case "subscribe":
    case "unsubscribe":
      return isAgentName(topic);
    case "find":
      return isRequest(request) && isAgentName(name);
    case "spawn":
      return isRequest(request) && typeof child === "object" && child !== null;
    case "parent":
    case "gone":
      return isAgentId(agent);
    default:
      return false;
  }
}

function isRequest(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
