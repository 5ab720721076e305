/**
 * Records of the file that holds a node's queued messages, one on a line (docs/spec/message-queue.md).
 *
 * QR1. A line is the CRC-32 of its text as eight hexadecimal digits, a blank, and the text, which is JSON. A line that is not so is damaged.
 */
import { crc32 } from "node:zlib";
import { type AgentId, parseAgentId } from "@glia-os/abi/ids";
import { BadQueueFileError } from "./errors.ts";

/** Why a message was given up. */
export type LostWhy = "expired" | "no-agent" | "link-broken" | "dropped";

/** One record. What a record says twice it says once: files are rewritten while records are on their way. */
export type QueueRecord =
  /** A message was taken: its number on this node, until when it is kept (wall clock), and what it says. */
  | {
      readonly is: "kept";
      readonly id: number;
      readonly agent: AgentId;
      readonly untilMs: number;
      readonly payload: Uint8Array;
    }
  /** Messages to an agent go over this link from now on; the number that the next one gets on it. */
  | { readonly is: "link"; readonly agent: AgentId; readonly link: string; readonly next: number }
  /** A message goes out under this number of the link. */
  | { readonly is: "offered"; readonly id: number; readonly agent: AgentId; readonly seq: number }
  /** A message was delivered. */
  | { readonly is: "delivered"; readonly id: number; readonly agent: AgentId }
  /** A message was given up. */
  | LostRecord
  /** The link to an agent is over. */
  | { readonly is: "closed"; readonly agent: AgentId };

/** A message that was given up. `inDoubt`: it went out, and whether the agent took it is not known. */
export interface LostRecord {
  readonly is: "lost";
  readonly id: number;
  readonly agent: AgentId;
  readonly why: LostWhy;
  readonly inDoubt: boolean;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

const CRC_DIGITS = 8;

/** The line of a record, with its end. */
export function encodeRecord(record: QueueRecord): string {
  const plain =
    record.is === "kept" ? { ...record, payload: Buffer.from(record.payload).toString("base64") } : record;
  const text = JSON.stringify(plain);
  return `${checksum(text)} ${text}\n`;
}

/** The record of a line, without its end. @throws {BadQueueFileError} (QR1) */
export function decodeRecord(line: string): QueueRecord {
  const text = line.slice(CRC_DIGITS + 1);
  if (line[CRC_DIGITS] !== " " || line.slice(0, CRC_DIGITS) !== checksum(text)) throw new BadQueueFileError();
  const plain = JSON.parse(text) as Record<string, unknown>;
  const agent = parseAgentId(String(plain["agent"]));
  if (plain["is"] !== "kept") return { ...plain, agent } as QueueRecord;
  const payload = new Uint8Array(Buffer.from(String(plain["payload"]), "base64"));
  return { ...plain, agent, payload } as QueueRecord;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(CRC_DIGITS, "0");
}
