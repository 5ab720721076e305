/** An independent reader of the two text formats, written from their specifications. It shares nothing with the writer. */

/** One sample. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A family as it was read. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string | undefined;
  readonly samples: Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;

function unescaped(text: string, quotes: boolean): string {
  let out = "";
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "\\") out += text[i];
    else if (text[++i] === "n") out += "\n";
    else if (text[i] === "\\" || (quotes && text[i] === '"')) out += text[i];
    else throw new SyntaxError(`a bad escape in ${text}`);
  }
  return out;
}

function readNumber(text: string): number {
  if (text === "NaN") return Number.NaN;
  const infinite = /^([+-])Inf$/.exec(text);
  if (infinite !== null) return infinite[1] === "+" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) throw new SyntaxError(`no number: ${text}`);
  return Number(text);
}

function readSample(line: string): Sample {
  const [name] = NAME.exec(line) ?? [];
  if (name === undefined) throw new SyntaxError(`no sample: ${line}`);
  let at = name.length;
  const labels: Record<string, string> = {};
  if (line[at] === "{") {
    at++;
    while (line[at] !== "}") {
      const [label = ""] = /^[a-zA-Z_][a-zA-Z0-9_]*/.exec(line.slice(at)) ?? [];
      const [, quoted] = /^="((?:[^"\\]|\\.)*)"/s.exec(line.slice(at + label.length)) ?? [];
      if (label === "" || quoted === undefined) throw new SyntaxError(`bad labels: ${line}`);
      if (Object.hasOwn(labels, label)) throw new SyntaxError(`a label twice: ${line}`);
      Object.defineProperty(labels, label, { value: unescaped(quoted, true), enumerable: true });
      at += label.length + quoted.length + 3;
      if (line[at] === ",") at++;
      else if (line[at] !== "}") throw new SyntaxError(`bad labels: ${line}`);
    }
    at++;
  }
  if (line[at] !== " ") throw new SyntaxError(`no value: ${line}`);
  return { name, labels, value: readNumber(line.slice(at + 1)) };
}

const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [""],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
};

/** Read an exposition. @throws {SyntaxError} for what the format forbids. */
export function parseExposition(text: string, format: "prometheus" | "openmetrics"): readonly Family[] {
  if (!text.endsWith("\n") && text !== "") throw new SyntaxError("the last line does not end");
  const lines = text.split("\n").slice(0, -1);
  if (format === "openmetrics" && lines.pop() !== "# EOF") throw new SyntaxError("no EOF");
  const families: Family[] = [];
  let help: { name: string; text: string } | undefined;
  for (const line of lines) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/s.exec(line) ?? [];
    if (keyword === "HELP") help = { name, text: unescaped(rest, format === "openmetrics") };
    else if (keyword === "TYPE") {
      if (families.some((family) => family.name === name)) throw new SyntaxError(`a family twice: ${name}`);
      if (help !== undefined && help.name !== name) throw new SyntaxError(`help of another family: ${name}`);
      families.push({ name, type: rest, help: help?.text, samples: [] });
      help = undefined;
    } else readInto(families.at(-1), readSample(line), format);
  }
  for (const family of families) check(family);
  return families;
}

function readInto(family: Family | undefined, sample: Sample, format: string): void {
  const counted = format === "openmetrics" && family?.type === "counter";
  const suffixes = counted ? ["_total"] : SUFFIXES[family?.type ?? ""];
  if (family === undefined || !suffixes?.some((suffix) => family.name + suffix === sample.name))
    throw new SyntaxError(`${sample.name} belongs to no family`);
  const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
  for (const { name, labels } of family.samples)
    if (JSON.stringify([name, Object.entries(labels).sort()]) === key) throw new SyntaxError(`twice: ${key}`);
  family.samples.push(sample);
}

/** Buckets ascend, are cumulative and end with all. */
function check({ name, type, samples }: Family): void {
  if (type !== "histogram") return;
  const series = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...own } = sample.labels;
    const key = JSON.stringify(Object.entries(own));
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const all of series.values()) {
    const buckets = all.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => readNumber(labels["le"] ?? ""));
    if (bounds.some((bound, i) => i > 0 && bound <= bounds[i - 1]!))
      throw new SyntaxError(`bounds of ${name}`);
    if (buckets.some(({ value }, i) => i > 0 && value < buckets[i - 1]!.value))
      throw new SyntaxError(`buckets of ${name} are not cumulative`);
    const count = all.find((sample) => sample.name === `${name}_count`)?.value;
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || buckets.at(-1)?.value !== count)
      throw new SyntaxError(`the last bucket of ${name} does not hold all`);
    if (!all.some((sample) => sample.name === `${name}_sum`)) throw new SyntaxError(`no sum of ${name}`);
  }
}
