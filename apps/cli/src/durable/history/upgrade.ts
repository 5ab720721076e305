/** `glia upgrade FOLDER --plan NEW.ts`: what new code means for the domains that live. */
import { judgeUpgrade, type UpgradeVerdict } from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import type { Context } from "../../context.ts";
import { EXIT, type ExitCode } from "../../exit-code.ts";
import { StatusLine } from "../../terminal/status-line.ts";
import { valuesOf } from "../kept-values.ts";
import { loadDurable } from "../load-durable.ts";
import { programFrames } from "./program-frames.ts";
import { journalIn } from "./with-journal.ts";

const PAGE = 1_000;

/** Replay every domain of a folder against a program. Ends with 1 when one cannot go on with it. */
export async function upgradeCommand(
  folder: string,
  { plan }: { readonly plan: string },
  { terminal, interrupt }: Context,
): Promise<ExitCode> {
  const { program } = await loadDurable(plan);
  const journal = journalIn(folder);
  const options = { programs: [program], digests: createSystemDigests() };
  const counts = { safe: 0, diverges: 0, pinned: 0, damaged: 0, ended: 0 };
  const status = new StatusLine(terminal);
  try {
    let judged = 0;
    for (let after = ""; ; ) {
      const heads = await journal.domains(after, PAGE);
      for (const { domain } of heads) {
        interrupt.throwIfAborted();
        const verdict = await judgeUpgrade(journal, domain, { ...options, values: valuesOf(folder, domain) });
        counts[verdict.state] += 1;
        judged += 1;
        terminal.record({ event: "domain", ...withProgramFrames(verdict) });
        for (const line of linesOf(verdict)) status.print(line);
        status.update(() => `${judged} domains replayed`);
      }
      const last = heads.at(-1);
      if (last === undefined) break;
      after = last.domain;
    }
    status.end();
  } finally {
    await journal.close();
  }
  const refused = counts.diverges + counts.damaged;
  terminal.record({ ok: refused === 0, ...counts });
  terminal.line(
    `${counts.safe} safe, ${counts.diverges} diverge, ${counts.pinned} pinned, ${counts.damaged} damaged; ` +
      `${counts.ended} ended before.`,
  );
  return refused === 0 ? EXIT.ok : EXIT.failure;
}

function linesOf(verdict: UpgradeVerdict): readonly string[] {
  const { domain, state } = verdict;
  if (state === "ended") return [];
  if (state === "safe") return [`${domain}  safe  ${verdict.records} records replay`];
  if (state !== "diverges") return [`${domain}  ${state}  ${verdict.why}`];
  const { recorded, attempted, position } = verdict.divergence;
  return [
    `${domain}  diverges at record ${verdict.seq}`,
    `    recorded: ${recorded}`,
    `    the new program ${attempted}`,
    ...programFrames(position).map((line) => `    at ${line}`),
  ];
}

function withProgramFrames(verdict: UpgradeVerdict): UpgradeVerdict {
  if (verdict.state !== "diverges") return verdict;
  const { divergence } = verdict;
  return { ...verdict, divergence: { ...divergence, position: programFrames(divergence.position) } };
}
