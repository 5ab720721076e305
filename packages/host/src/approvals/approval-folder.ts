/**
 * `ApprovalBoard` in a folder: one file per question, one per answer. Programs ask and people answer from different processes, at any time.
 *
 * AF1. A file is there whole or not at all, and stays: it is written under another name, flushed, and then linked to its own.
 * AF2. Linking fails when the name is taken. So there is one answer, also when two come at once from two processes (AB2).
 * AF3. The name of a question is a hash of the call, the question and its arguments, checked whenever it is read; an answer repeats it.
 */
import { createHash, randomUUID } from "node:crypto";
import { watch } from "node:fs";
import { link, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type {
  Approval,
  ApprovalBoard,
  ApprovalRequest,
  CancelSignal,
  PostedApproval,
} from "@glia-os/abi/ports";
import {
  AnsweredBeforeError,
  BadAnswerError,
  BoardDamagedError,
  BoardFullError,
  ChangedArgumentsError,
  UnknownApprovalError,
} from "./errors.ts";

/** Questions of a board: answered and not. */
const MOST = 10_000;
/** Digits of a name that say which call asks, and that say what. */
const KEY_DIGITS = 12;
const CONTENT_DIGITS = 20;
/** How long an answer may lie there unseen where the system tells of no change. */
const LOOK_MS = 1_000;
const BY_LIMIT = 200;
const REASON_LIMIT = 2_000;
const FILE_BYTES_MOST = 1_048_576;

/** What a board in a folder may be told. */
export interface ApprovalFolderOptions {
  /** The time, in milliseconds since the Unix epoch. */
  readonly nowMs: () => number;
}

/** The board of a folder, which is made when the first question is asked. */
export function createApprovalFolder(folder: string, options: ApprovalFolderOptions): ApprovalBoard {
  return new ApprovalFolder(folder, options.nowMs);
}

class ApprovalFolder implements ApprovalBoard {
  readonly #folder: string;
  readonly #nowMs: () => number;

  constructor(folder: string, nowMs: () => number) {
    this.#folder = folder;
    this.#nowMs = nowMs;
  }

  async post({ key, question, args }: ApprovalRequest): Promise<PostedApproval> {
    const id = nameOf({ key, question, args });
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const names = await this.#names();
    const other = names.find((name) => name.startsWith(id.slice(0, KEY_DIGITS)) && !name.startsWith(id));
    if (other !== undefined) throw new ChangedArgumentsError(key, `${key} asked something else before`);
    if (!names.includes(`${id}.ask`)) {
      if (names.filter((name) => name.endsWith(".ask")).length >= MOST) throw new BoardFullError(MOST);
      await this.#write(`${id}.ask`, { key, question, args, askedMs: this.#nowMs() });
    }
    return await this.#read(id);
  }

  async answer(id: string, { approved, by, reason }: Approval): Promise<PostedApproval> {
    if (typeof approved !== "boolean" || !within(by, 1, BY_LIMIT) || !within(reason ?? "", 0, REASON_LIMIT))
      throw new BadAnswerError();
    const posted = await this.#read(id);
    const answer = { id, approved, by, ...(reason === undefined ? {} : { reason }), atMs: this.#nowMs() };
    if (posted.answer !== undefined || !(await this.#write(`${id}.answer`, answer)))
      throw new AnsweredBeforeError(id, (await this.#read(id)).answer);
    return await this.#read(id);
  }

  async answered(id: string, cancel: CancelSignal): Promise<Approval> {
    let look: () => void = () => {};
    const changes = watch(this.#folder, { persistent: true }, () => look());
    changes.on("error", () => {});
    const timer = setInterval(() => look(), LOOK_MS);
    const forget = cancel.onCancel(() => look());
    try {
      for (;;) {
        if (cancel.cancelled) throw cancel.reason;
        const changed = new Promise<void>((resolve) => (look = resolve));
        const { answer } = await this.#read(id);
        if (answer !== undefined) return withoutTime(answer);
        await changed;
      }
    } finally {
      forget();
      clearInterval(timer);
      changes.close();
    }
  }

  async list(): Promise<readonly PostedApproval[]> {
    const names = await this.#names();
    const asked = names.filter((name) => name.endsWith(".ask")).map((name) => name.slice(0, -4));
    const approvals: PostedApproval[] = [];
    for (const id of asked) approvals.push(await this.#read(id));
    return approvals.sort((a, b) => a.askedMs - b.askedMs || (a.id < b.id ? -1 : 1));
  }

  async withdraw(wanted: (approval: PostedApproval) => boolean): Promise<number> {
    const gone = (await this.list()).filter(wanted);
    for (const { id } of gone) {
      await rm(join(this.#folder, `${id}.ask`));
      await rm(join(this.#folder, `${id}.answer`), { force: true });
    }
    if (gone.length > 0) await this.#flushFolder();
    return gone.length;
  }

  async #names(): Promise<readonly string[]> {
    return await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
  }

  async #read(id: string): Promise<PostedApproval> {
    const asked = await this.#json(`${id}.ask`);
    if (asked === undefined) throw new UnknownApprovalError(id);
    const { key, question, args, askedMs } = asked as unknown as PostedApproval;
    const sound = typeof key === "string" && typeof question === "string" && Number.isSafeInteger(askedMs);
    if (!sound || nameOf({ key, question, args }) !== id)
      throw new BoardDamagedError(`${id}.ask`, "it does not hold what its name says");
    const answer = await this.#answer(id);
    return { id, key, question, args, askedMs, ...(answer === undefined ? {} : { answer }) };
  }

  async #answer(id: string): Promise<PostedApproval["answer"]> {
    const found = await this.#json(`${id}.answer`);
    if (found === undefined) return undefined;
    const { id: named, ...answer } = found as unknown as NonNullable<PostedApproval["answer"]> & {
      id: string;
    };
    if (named === id && typeof answer.approved === "boolean" && typeof answer.by === "string") return answer;
    throw new BoardDamagedError(`${id}.answer`, "it is no answer to this question");
  }

  async #json(name: string): Promise<Record<string, unknown> | undefined> {
    try {
      const text = await readFile(join(this.#folder, name), "utf8");
      const value: unknown = text.length > FILE_BYTES_MOST ? undefined : JSON.parse(text);
      if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw new BoardDamagedError(name, (error as Error).message);
    }
    throw new BoardDamagedError(name, "it is no object");
  }

  /** Write a file (AF1). Returns false when the name is taken (AF2). */
  async #write(name: string, value: unknown): Promise<boolean> {
    const path = join(this.#folder, name);
    const draft = `${path}.${randomUUID()}.draft`;
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(`${JSON.stringify(value)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    try {
      await link(draft, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
    await this.#flushFolder();
    return true;
  }

  async #flushFolder(): Promise<void> {
    if (process.platform === "win32") return;
    const folder = await open(this.#folder, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

function nameOf({ key, question, args }: ApprovalRequest): string {
  return (
    hashOf(key).slice(0, KEY_DIGITS) + hashOf(JSON.stringify([key, question, args])).slice(0, CONTENT_DIGITS)
  );
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function withoutTime({ approved, by, reason }: Approval): Approval {
  return { approved, by, ...(reason === undefined ? {} : { reason }) };
}

function within(text: unknown, least: number, most: number): boolean {
  return typeof text === "string" && text.length >= least && text.length <= most;
}
