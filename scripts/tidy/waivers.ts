/**
 * Exceptions from absolute rules, each for one file and one rule, with the reason.
 *
 * W1. A waiver without a reason, for an unknown rule, or that no finding needs any more is itself a finding.
 */
import type { Finding } from "./rule.ts";

/** One exception. */
export interface Waiver {
  readonly file: string;
  readonly rule: string;
  readonly reason: string;
}

/** A finding with the rule that made it. */
export interface Ruled extends Finding {
  readonly rule: string;
}

/** Where waivers are kept. */
export const waiversFile = "scripts/tidy/waivers.json";

/** The findings no waiver covers, and findings about the waivers themselves. */
export function applyWaivers(
  findings: readonly Ruled[],
  waivers: readonly Waiver[],
  rules: readonly string[],
): Ruled[] {
  const covers = (waiver: Waiver, finding: Ruled): boolean =>
    waiver.file === finding.file && waiver.rule === finding.rule;
  const left = findings.filter((finding) => !waivers.some((waiver) => covers(waiver, finding)));
  const wrong = waivers.flatMap((waiver) => {
    const problem = problemOf(
      waiver,
      rules,
      findings.some((finding) => covers(waiver, finding)),
    );
    if (problem === undefined) return [];
    const message = `the waiver of ${waiver.rule} for ${waiver.file} ${problem.is}`;
    return [{ rule: "waivers", file: waiversFile, line: 1, message, fix: problem.fix }];
  });
  return [...left, ...wrong];
}

function problemOf(
  waiver: Waiver,
  rules: readonly string[],
  used: boolean,
): { is: string; fix: string } | undefined {
  if (!rules.includes(waiver.rule))
    return { is: "names no absolute rule", fix: `name one of: ${rules.join(", ")}` };
  if (typeof waiver.reason !== "string" || waiver.reason.trim().length < 15) {
    return { is: "gives no reason", fix: "say why this file must break the rule" };
  }
  return used ? undefined : { is: "covers nothing", fix: "remove it" };
}
