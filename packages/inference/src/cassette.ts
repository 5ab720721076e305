/**
 * Cassettes: the answers of a model in a file, so that a program runs again offline, for nothing, and with the same result.
 *
 * CS1. An answer is found by the hash of its request without secrets, and by the how-manieth such request it is. Nothing else is looked
 *      at, so tasks that ask at the same time get the same answers in any order.
 * CS2. What is replayed is what was written: a recording program gets the answer in the form that a replay gives.
 * CS3. A miss is an error that says where the nearest recorded request differs; in `replay` no model is ever asked.
 * CS4. Secrets are taken out before anything is written (`redaction.ts`). A request that failed is not recorded.
 */
import { isGliaError } from "@glia-os/abi/errors";
import type { CancelSignal, Digests, Files, Model } from "@glia-os/abi/ports";
import { canonicalJson, firstDifference } from "./canonical-json.ts";
import { BadCassetteError, BadModelOptionError, CassetteMissError } from "./errors.ts";
import { text } from "./options.ts";
import { redacted } from "./redaction.ts";

type Plain = Readonly<Record<string, unknown>>;

/** `replay`: answers of the file only. `record`: ask and write all anew. `auto`: answers of the file, and ask for what it has not. */
export type CassetteMode = "replay" | "record" | "auto";

/** How a cassette is made. */
export interface CassetteOptions {
  readonly files: Files;
  /** The file of the cassette, in `files`. */
  readonly path: string;
  readonly digests: Pick<Digests, "sha256">;
  readonly mode: CassetteMode;
  /** Who is asked in `record` and `auto`. */
  readonly model?: Model;
  /** Values that never reach the file: at most 64 of 4 to 4096 characters. */
  readonly secrets?: readonly string[];
}

interface Entry {
  readonly key: string;
  readonly n: number;
  readonly request: unknown;
  readonly answer: Plain;
}

const FORMAT = 1;
const BYTES_MOST = 67_108_864;
const ENTRIES_MOST = 100_000;

/** A model whose answers stand in a file. @throws {BadModelOptionError}; a call throws {BadCassetteError} {CassetteMissError} */
export function createCassetteModel(options: CassetteOptions): Model {
  return new Cassette(options);
}

class Cassette implements Model {
  readonly #options: CassetteOptions;
  readonly #secrets: readonly string[];
  readonly #asked = new Map<string, number>();
  #loading: Promise<Map<string, Entry>> | undefined;
  /** Settles when the last answer is in the file. */
  #writing: Promise<void> = Promise.resolve();

  constructor(options: CassetteOptions) {
    const { path, mode, model, secrets = [] } = options;
    text("path", path, 4096);
    if (!["replay", "record", "auto"].includes(mode))
      throw new BadModelOptionError("mode", "replay, record or auto");
    if (mode !== "replay" && model === undefined) throw new BadModelOptionError("model", `given to ${mode}`);
    if (secrets.length > 64) throw new BadModelOptionError("secrets", "at most 64 values");
    for (const secret of secrets)
      if (secret.length < 4 || secret.length > 4096)
        throw new BadModelOptionError("a secret", "text of 4 to 4096 characters");
    this.#options = options;
    this.#secrets = secrets;
  }

  async complete(request: Plain, cancel: CancelSignal): Promise<Plain> {
    const { digests, mode, model, path } = this.#options;
    const shown = redacted(request, this.#secrets);
    const key = hex(digests.sha256(new TextEncoder().encode(canonicalJson(shown))));
    const n = this.#asked.get(key) ?? 0;
    this.#asked.set(key, n + 1);
    this.#loading ??= this.#load();
    const entries = await this.#loading;
    const known = entries.get(`${key}#${n}`);
    if (known !== undefined && mode !== "record") return structuredClone(known.answer);
    if (mode === "replay" || model === undefined)
      throw new CassetteMissError(path, key, n, nearest(shown, [...entries.values()]));
    const answer = redacted(await model.complete(request, cancel), this.#secrets) as Plain;
    if (entries.size >= ENTRIES_MOST) throw new BadCassetteError(path, `it has ${ENTRIES_MOST} answers`);
    entries.set(`${key}#${n}`, { key, n, request: shown, answer });
    this.#writing = this.#writing.catch(() => {}).then(() => this.#write(entries, cancel));
    await this.#writing;
    return JSON.parse(JSON.stringify(answer)) as Plain;
  }

  async #load(): Promise<Map<string, Entry>> {
    const { files, path, mode } = this.#options;
    if (mode === "record") return new Map();
    let content: Uint8Array;
    try {
      content = await files.read(path, BYTES_MOST);
    } catch (error) {
      const missing = isGliaError(error) && error.details["system"] === "ENOENT";
      if (missing && mode === "auto") return new Map();
      throw new BadCassetteError(path, missing ? "it does not exist" : (error as Error).message, error);
    }
    return this.#parsed(new TextDecoder().decode(content));
  }

  #parsed(content: string): Map<string, Entry> {
    const { path } = this.#options;
    let value: { readonly cassette?: unknown; readonly entries?: unknown };
    try {
      value = JSON.parse(content) as typeof value;
    } catch (error) {
      throw new BadCassetteError(path, "it is no JSON", error);
    }
    const { cassette, entries } = value ?? {};
    if (cassette !== FORMAT) throw new BadCassetteError(path, `its format is not ${FORMAT}`);
    if (!Array.isArray(entries) || entries.length > ENTRIES_MOST || !entries.every(isEntry))
      throw new BadCassetteError(path, `it holds no list of at most ${ENTRIES_MOST} answers`);
    return new Map(entries.map((entry) => [`${entry.key}#${entry.n}`, entry]));
  }

  async #write(entries: ReadonlyMap<string, Entry>, cancel: CancelSignal): Promise<void> {
    const { files, path } = this.#options;
    const sorted = [...entries.values()].sort((a, b) =>
      a.key === b.key ? a.n - b.n : a.key < b.key ? -1 : 1,
    );
    const json = `${JSON.stringify({ cassette: FORMAT, entries: sorted }, null, 1)}\n`;
    if (json.length > BYTES_MOST)
      throw new BadCassetteError(path, `it would have more than ${BYTES_MOST} bytes`);
    await files.write(path, new TextEncoder().encode(json), cancel);
  }
}

function isEntry(value: unknown): value is Entry {
  const { key, n, answer } = (value ?? {}) as Partial<Entry>;
  const numbered = typeof key === "string" && Number.isSafeInteger(n) && (n as number) >= 0;
  return numbered && typeof answer === "object" && answer !== null;
}

/** Where the recorded request that agrees longest first differs from this one. */
function nearest(request: unknown, entries: readonly Entry[]): string | undefined {
  let best: { readonly shared: number; readonly at: string } | undefined;
  const ours = canonicalJson(request);
  for (const { request: theirs } of entries) {
    const at = firstDifference(request, theirs);
    const shared = sharedPrefix(ours, canonicalJson(theirs));
    if (best === undefined || shared > best.shared)
      best = { shared, at: at ?? "the number of times it was asked" };
  }
  return best?.at;
}

function sharedPrefix(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
