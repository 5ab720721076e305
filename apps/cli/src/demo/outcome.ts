/**
 * What a run came to, in the form `--json` prints.
 *
 * DO1. `ok` only when every total agrees, the most frequent words agree, the agent ended where it should, and every message
 *      sent was applied exactly once.
 */
import type { MigrationPhase, MigrationReport } from "@glia-os/daemon";
import type { WordCount } from "../count/frequency.ts";
import type { Count } from "../count/tally.ts";
import type { NodeName } from "./local-mesh.ts";

/** What the agent reported. `messages`: how many it applied, by its own count. */
export interface AgentCount {
  readonly files: number;
  readonly lines: number;
  readonly words: number;
  readonly bytes: number;
  readonly messages: number;
  readonly top: readonly WordCount[];
  /** Whether the counts in `top` are upper bounds (Space-Saving) and not exact. */
  readonly topApproximate: boolean;
  /** By how much each count of `top` may be too high, in the same order; zeros when exact. */
  readonly topErrors: readonly number[];
}

/** The independent count, with the exact counts of the agent's words when `top` itself could not be exact. */
export interface ExpectedCount extends Omit<Count, "distinctExceeded"> {
  readonly distinctExceeded: boolean;
}

/** A move as it is printed. */
export interface Move {
  readonly from: string;
  readonly to: string;
  readonly strategy: MigrationReport["strategy"];
  readonly bytes: number;
  readonly downtimeMs: number;
  readonly epoch: number;
  readonly phases: readonly MigrationPhase[];
  /** Messages sent while the move was under way. */
  readonly messagesDuring: number;
}

/** Everything a run found out. */
export interface DemoFindings {
  readonly transport: string;
  readonly nodes: number;
  readonly agent: AgentCount;
  readonly expected: ExpectedCount;
  readonly sent: number;
  readonly duplicatesRefused: number | undefined;
  readonly moves: readonly Move[];
  readonly owner: string | undefined;
  readonly expectedOwner: string;
  readonly peakRssBytes: Partial<Record<NodeName | "cli", number>>;
  readonly elapsedMs: number;
}

/** The last line of `glia demo --json`; the order of its keys is part of the format. */
export interface DemoRecord {
  readonly ok: boolean;
  readonly transport: string;
  readonly nodes: number;
  readonly files: number;
  readonly lines: number;
  readonly words: number;
  readonly bytes: number;
  readonly top: readonly WordCount[];
  readonly topApproximate: boolean;
  readonly expected: Omit<Count, "distinctExceeded">;
  readonly sent: number;
  readonly applied: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly migrations: readonly Move[];
  readonly owner: string | undefined;
  readonly duplicatesRefused: number | undefined;
  readonly peakRssBytes: Partial<Record<NodeName | "cli", number>>;
  readonly elapsedMs: number;
  readonly differences: readonly string[];
}

/** The record of a run (DO1). */
export function recordOf(findings: DemoFindings): DemoRecord {
  const { agent, expected, sent } = findings;
  const lost = Math.max(0, sent - agent.messages);
  const duplicated = Math.max(0, agent.messages - sent);
  const differences = differencesIn(findings);
  return {
    ok: differences.length === 0 && lost === 0 && duplicated === 0,
    transport: findings.transport,
    nodes: findings.nodes,
    files: agent.files,
    lines: agent.lines,
    words: agent.words,
    bytes: agent.bytes,
    top: agent.top,
    topApproximate: agent.topApproximate,
    expected: {
      files: expected.files,
      lines: expected.lines,
      words: expected.words,
      bytes: expected.bytes,
      top: expected.top,
    },
    sent,
    applied: agent.messages,
    lost,
    duplicated,
    migrations: findings.moves,
    owner: findings.owner,
    duplicatesRefused: findings.duplicatesRefused,
    peakRssBytes: findings.peakRssBytes,
    elapsedMs: findings.elapsedMs,
    differences,
  };
}

/** Sentences for everything that should agree and does not. */
export function differencesIn({ agent, expected, owner, expectedOwner, moves }: DemoFindings): string[] {
  const found: string[] = [];
  for (const total of ["files", "lines", "words", "bytes"] as const) {
    if (agent[total] !== expected[total])
      found.push(`${total}: the agent counted ${agent[total]}, the independent count is ${expected[total]}`);
  }
  found.push(...topDifferences(agent, expected));
  if (owner !== expectedOwner)
    found.push(`the agent ended on ${owner ?? "no node"} and not on ${expectedOwner}`);
  for (const { from, to, messagesDuring } of moves)
    if (messagesDuring === 0) found.push(`no message was sent while the agent moved from ${from} to ${to}`);
  return found;
}

/** Exact counts must be equal word for word; approximate ones must lie within their stated error (Metwally et al., 2005). */
function topDifferences(agent: AgentCount, expected: ExpectedCount): string[] {
  if (agent.top.length !== expected.top.length)
    return [
      `the agent names ${agent.top.length} frequent words, the independent count ${expected.top.length}`,
    ];
  return agent.top.flatMap(([word, count], i) => {
    const [expectedWord, exact] = expected.top[i] ?? ["", 0];
    const slack = agent.topApproximate ? (agent.topErrors[i] ?? 0) : 0;
    if (word === expectedWord && count >= exact && count - slack <= exact) return [];
    return [
      `frequent word ${i + 1}: the agent has ${word} ${count}, the independent count ${expectedWord} ${exact}`,
    ];
  });
}
