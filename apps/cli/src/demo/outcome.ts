/**
 * What a run came to, in the form `--json` prints.
 *
 * DO1. `ok` only when every total agrees, the most frequent words agree, the agent ended where it should, every message
 *      sent was applied exactly once, and the second agent went on when its node was killed, with nothing lost or applied twice.
 */
import type { MigrationPhase, MigrationReport } from "@glia-os/daemon";
import type { WordCountReport } from "@glia-os/guest-as/word-count";
import type { Count } from "../count/tally.ts";
import type { WordCount } from "../count/words.ts";
import type { CatalogueFindings } from "./catalogue/catalogue.ts";
import type { CatalogueReport } from "./catalogue/report.ts";
import type { LogbookFindings } from "./logbook/logbook.ts";
import type { NodeName } from "./node-names.ts";

/** What the agent reported: see `@glia-os/guest-as/word-count`. */
export type AgentCount = WordCountReport;

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

/** How an agent went on when its node was killed. */
export interface Failover {
  readonly agent: string;
  readonly killed: string;
  readonly pid: number | undefined;
  /** The node it went on at, and the epoch it did so under. */
  readonly to: string | undefined;
  readonly epoch: number | undefined;
  /** From the kill until the agent answered again. */
  readonly ms: number;
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
  readonly catalogue: CatalogueFindings;
  readonly failover: Failover | undefined;
  readonly logbook: LogbookFindings;
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
  /** What the second agent came to. */
  readonly catalogue: CatalogueReport & { readonly sent: number };
  readonly failover: Failover | undefined;
  /** What the third agent wrote down, and how many records of its journal gave the same again. */
  readonly replay: { readonly lines: readonly string[]; readonly records: number };
}

/** The record of a run (DO1). */
export function recordOf(findings: DemoFindings): DemoRecord {
  const { agent, expected, sent } = findings;
  // Every message has a number, and the agent applies each number once: what it did not apply was lost.
  const lost = Math.max(0, sent - agent.applied);
  const { applied, duplicated } = agent;
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
    applied,
    lost,
    duplicated,
    migrations: findings.moves,
    owner: findings.owner,
    duplicatesRefused: findings.duplicatesRefused,
    peakRssBytes: findings.peakRssBytes,
    elapsedMs: findings.elapsedMs,
    differences,
    catalogue: { ...findings.catalogue.report, sent: findings.catalogue.sent },
    failover: findings.failover,
    replay: { lines: findings.logbook.replayed, records: findings.logbook.records },
  };
}

/** Sentences for everything that should agree and does not. */
export function differencesIn(findings: DemoFindings): string[] {
  const { agent, expected, owner, expectedOwner, moves, failover } = findings;
  const found: string[] = [...findings.catalogue.differences, ...findings.logbook.differences];
  if (failover === undefined || failover.to === undefined || failover.to === failover.killed)
    found.push(`the second agent did not go on when its node was killed`);
  for (const total of ["files", "lines", "words", "bytes"] as const) {
    if (agent[total] !== expected[total])
      found.push(`${total}: the agent counted ${agent[total]}, the independent count is ${expected[total]}`);
  }
  found.push(...topDifferences(agent, expected));
  if (agent.malformed > 0) found.push(`the agent could not read ${agent.malformed} messages`);
  if (owner !== expectedOwner)
    found.push(`the agent ended on ${owner ?? "no node"} and not on ${expectedOwner}`);
  for (const { from, to, messagesDuring } of moves)
    if (messagesDuring === 0) found.push(`no message was sent while the agent moved from ${from} to ${to}`);
  return found;
}

/**
 * Exact counts must be equal word for word, ties in any order. Approximate ones (Space-Saving: Metwally, Agrawal, El Abbadi,
 * 2005) are never too low, and too high by at most the stated error.
 */
function topDifferences(agent: AgentCount, expected: ExpectedCount): string[] {
  if (agent.topApproximate !== expected.distinctExceeded)
    return [
      `the agent's frequent words are ${agent.topApproximate ? "" : "not "}approximate, unlike the independent count`,
    ];
  if (agent.top.length !== expected.top.length)
    return [
      `the agent names ${agent.top.length} frequent words, the independent count ${expected.top.length}`,
    ];
  const slack = agent.topApproximate ? agent.topError : 0;
  const [ours, theirs] = agent.topApproximate
    ? [agent.top, expected.top]
    : [ordered(agent.top), ordered(expected.top)];
  return ours.flatMap((word, i) => {
    const other = theirs[i] ?? ["", 0];
    if (
      word[0] === other[0] &&
      word[2] === other[2] &&
      word[1] >= atLeast(other) &&
      word[1] - slack <= other[1]
    )
      return [];
    return [
      `frequent word ${i + 1}: the agent has ${word.join(" ")}, the independent count ${other.join(" ")}`,
    ];
  });

  /** Several long words may show the same prefix and length; together they can be more than the one the agent names. */
  function atLeast([, count, bytes]: WordCount): number {
    return agent.topApproximate && bytes !== undefined ? 0 : count;
  }
}

function ordered(top: readonly WordCount[]): readonly WordCount[] {
  return [...top].sort(
    (a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : Number(a[0] > b[0])) || (a[2] ?? 0) - (b[2] ?? 0),
  );
}
