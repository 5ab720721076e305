/** What differs between two configurations, and what of it a running node can take. */
import { CONFIG_SHAPE } from "./config-shape.ts";
import type { GliaConfig } from "./glia-config.ts";
import type { RecordShape } from "./shape.ts";

/** The paths that changed, sorted. */
export interface ConfigChanges {
  /** A running node takes these. */
  readonly live: readonly string[];
  /** These count from the next start on. */
  readonly atRestart: readonly string[];
}

/** Compare two checked configurations. */
export function configChanges(before: GliaConfig, after: GliaConfig): ConfigChanges {
  const live: string[] = [];
  const atRestart: string[] = [];
  compare(before, after, CONFIG_SHAPE, "", (path, isLive) => (isLive ? live : atRestart).push(path));
  return { live: live.sort(), atRestart: atRestart.sort() };
}

function compare(
  before: unknown,
  after: unknown,
  shape: RecordShape,
  above: string,
  differs: (path: string, live: boolean) => void,
): void {
  const at = (value: unknown, key: string): unknown => (value as Record<string, unknown> | undefined)?.[key];
  for (const [key, { shape: inner, live = false }] of Object.entries(shape.fields)) {
    const [was, is] = [at(before, key), at(after, key)];
    const path = above === "" ? key : `${above}.${key}`;
    if (inner.kind === "record") compare(was, is, inner, path, differs);
    else if (JSON.stringify(was) !== JSON.stringify(is)) differs(path, live);
  }
}
