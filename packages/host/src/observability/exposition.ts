/**
 * Metrics as text: Prometheus' text format 0.0.4, and OpenMetrics 1.0.
 *
 * EX1. Each metric has one `TYPE` line, at most one `HELP` line before it, and all its samples after it.
 * EX2. Backslashes, line ends and, where the format wants it, quotes are escaped, so no text can begin a line or a label of its own.
 * EX3. A histogram's buckets are cumulative, have the label `le`, end with `+Inf`, and agree with its `_count`.
 * EX4. No two metrics write samples of one name: such a snapshot is refused, whole.
 * EX5. OpenMetrics wants the samples of a counter to end with `_total`: there a counter without it gets it, and the family's own name has none.
 */
import { BadMetricError, BadOptionError } from "../errors.ts";
import { BUCKETS, type MetricSnapshot, type SeriesSnapshot } from "../memory-meter.ts";
import { METRIC_HELP } from "./metric-help.ts";

/** The two formats. */
export type ExpositionFormat = "prometheus" | "openmetrics";

/** The `Content-Type` of each format. */
export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** How metrics are written. */
export interface ExpositionOptions {
  /** Default `prometheus`. */
  readonly format?: ExpositionFormat;
  /** One line of help per metric name; those of the kernel are known. */
  readonly help?: Readonly<Record<string, string>>;
}

type Labels = readonly (readonly [string, string])[];

/** Write a snapshot of a meter, in its order. O(series). @throws {BadMetricError} when two metrics would write one sample name (EX4). {BadOptionError} */
export function exposition(snapshot: readonly MetricSnapshot[], options: ExpositionOptions = {}): string {
  const { format = "prometheus" } = options;
  if (!Object.hasOwn(CONTENT_TYPES, format))
    throw new BadOptionError("exposition format", format, "prometheus or openmetrics");
  if (!Array.isArray(snapshot))
    throw new BadOptionError("snapshot", typeof snapshot, "what a meter's snapshot() gives");
  const open = format === "openmetrics";
  const help = { ...METRIC_HELP, ...options.help };
  const taken = new Set<string>();
  const lines: string[] = [];
  for (const metric of snapshot) {
    const family = open && metric.kind === "counter" ? metric.name.replace(/_total$/, "") : metric.name;
    claim(taken, metric, family, open);
    const about = Object.hasOwn(help, metric.name) ? help[metric.name] : undefined;
    if (about !== undefined) lines.push(`# HELP ${family} ${open ? quotable(about) : escaped(about)}`);
    lines.push(`# TYPE ${family} ${metric.kind}`);
    const sample = open && metric.kind === "counter" ? `${family}_total` : metric.name;
    for (const series of metric.series) {
      if (metric.kind === "histogram") lines.push(...histogram(metric.name, series, open));
      else lines.push(line(sample, Object.entries(series.labels), series.value));
    }
  }
  if (open) lines.push("# EOF");
  return lines.map((text) => `${text}\n`).join("");
}

/** Take the names that a metric writes, its family's included (EX4). */
function claim(taken: Set<string>, { name, kind }: MetricSnapshot, family: string, open: boolean): void {
  const samples = {
    counter: open ? ["_total"] : [""],
    gauge: [""],
    histogram: ["_bucket", "_count", "_sum"],
  };
  const names = new Set([family, ...samples[kind].map((suffix) => `${family}${suffix}`)]);
  for (const one of names) {
    if (taken.has(one)) throw new BadMetricError(`a second metric that writes ${one}:`, name);
    taken.add(one);
  }
}

function histogram(
  name: string,
  { labels, value, count = 0, buckets = [] }: SeriesSnapshot,
  open: boolean,
): string[] {
  const own = Object.entries(labels);
  const bound = (le: number): string => (open && Number.isInteger(le) ? `${le}.0` : String(le));
  return [
    ...BUCKETS.map((le, i) => line(`${name}_bucket`, [...own, ["le", bound(le)]], buckets[i] ?? 0)),
    line(`${name}_bucket`, [...own, ["le", "+Inf"]], count),
    line(`${name}_sum`, own, value),
    line(`${name}_count`, own, count),
  ];
}

function line(name: string, labels: Labels, value: number): string {
  const shown = labels.map(([label, text]) => `${label}="${quotable(text)}"`).join(",");
  return `${name}${shown === "" ? "" : `{${shown}}`} ${numeral(value)}`;
}

function numeral(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function quotable(text: string): string {
  return escaped(text).replaceAll('"', '\\"');
}
