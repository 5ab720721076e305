/**
 * `glia run FILE --journal FOLDER`: a durable program on a journal, from its start or from where its last process left it.
 *
 * RD1. Ctrl-C stops the process, not the program: everything acknowledged is in the journal, and the same command goes on with it.
 * RD2. A program of a name is started once per journal. When it ended, its result is shown again.
 */

import { errorCodeOf } from "@glia-os/abi/errors";
import type { Blobs, Journal, PostedApproval } from "@glia-os/abi/ports";
import {
  type AmbientGuard,
  type AuditLog,
  approvalService,
  Domains,
  type DurableDomain,
  type DurableService,
  type Oversight,
  type OversightPolicy,
  overseen,
  PostOffice,
} from "@glia-os/durable";
import { createSystemClock, createSystemDigests, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { createFileTree, createHttpClient } from "@glia-os/host";
import { filesService, httpService } from "@glia-os/kernel/services";
import { openFileBlobs } from "@glia-os/store/blobs";
import { openFileJournal } from "@glia-os/store/journal";
import type { Context } from "../context.ts";
import { InputMalformedError, TaskFailedError, UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { aborted } from "../interrupt.ts";
import { boardOf, openAudit } from "../oversight/oversight-folder.ts";
import { policyOption } from "../oversight/policy-option.ts";
import { describeThrown } from "../run/failure-site.ts";
import { callName } from "./domain-summary.ts";
import { type FailureChoice, failureChoice, tellRestart, withChoice } from "./failure-choice.ts";
import { checkGuardMode, guardedBy } from "./guard-mode.ts";
import { valuesFolder } from "./kept-values.ts";
import { type BesideDomain, type LoadedDurable, loadDurable } from "./load-durable.ts";
import { asJson, asText } from "./value-text.ts";

/** Its options, as texts. */
export interface DurableRunOptions {
  readonly journal: string;
  /** Name of the domain; default the program's name. */
  readonly name?: string;
  /** Input of a domain that is started, as JSON. */
  readonly input?: string;
  /** Origins the service `http` may reach. */
  readonly http?: readonly string[];
  /** Folder of the service `files`. */
  readonly files?: string;
  /** Which calls a person has to approve. */
  readonly oversight?: string;
  /** What becomes of a program that uses more than syscalls. */
  readonly guard?: string;
  /** How the program goes on when it failed. */
  readonly onFailure?: string;
}

/** Run a durable program to its end or to an interruption. */
export async function runDurable(
  file: string,
  options: DurableRunOptions,
  context: Context,
): Promise<ExitCode> {
  const input = parsedInput(options.input);
  const choice = failureChoice(options.onFailure);
  checkGuardMode(options.guard);
  if (options.name !== undefined) checkName("--name", options.name);
  const guarded = await guardedBy(options.guard, await loadDurable(file), context);
  const { loaded } = guarded;
  const policy = await policyOption(options.oversight);
  const journal = await openFileJournal({ folder: options.journal });
  const blobs = await openFileBlobs({ folder: valuesFolder(options.journal) }).catch(
    async (error: unknown) => {
      await journal.close();
      throw error;
    },
  );
  try {
    const post = new PostOffice({ timers: createSystemTimers() });
    const start = { name: options.name ?? loaded.program.name, input, choice };
    return await withServices(
      { ...offered(options), mail: post.service, ...loaded.services },
      options.journal,
      policy,
      context,
      (services, audit) =>
        runOn({ journal, blobs, post, guard: guarded.guard }, loaded, services, audit, start, context),
    );
  } catch (error) {
    throw guarded.explained(error);
  } finally {
    await blobs.close();
    await journal.close();
  }
}

function parsedInput(text: string | undefined): unknown {
  if (text === undefined) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputMalformedError((error as Error).message);
  }
}

/** The rule of `docs/spec/journal.md`, told before a folder is made. */
export function checkName(option: string, name: string): void {
  if (/^[\x20-\x7e]{1,128}$/.test(name)) return;
  throw new UsageError(
    `${option} ${JSON.stringify(name.slice(0, 40))} cannot name a domain`,
    "Give 1 to 128 printable ASCII characters.",
  );
}

function offered({ http, files }: DurableRunOptions): Record<string, DurableService> {
  const services: Record<string, DurableService> = {};
  if (http !== undefined) services["http"] = { service: httpService(createHttpClient({ origins: http })) };
  if (files !== undefined) services["files"] = { service: filesService(createFileTree(files)) };
  return services;
}

type Services = Readonly<Record<string, DurableService>>;

/** Put the services behind the guard of the folder while `run` runs. */
async function withServices(
  services: Services,
  folder: string,
  policy: OversightPolicy | undefined,
  { terminal }: Context,
  run: (services: Services, audit: AuditLog) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { audit, close } = await openAudit(folder);
  const board = boardOf(folder);
  const onAsked = (asked: PostedApproval): void => {
    terminal.record({ event: "asked", ...asked });
    terminal.note(`${asked.key} asks: ${asked.question}`);
    if (asked.args !== null) terminal.note(`    ${asked.args}`);
    terminal.note(`    glia approve ${folder} ${asked.id.slice(0, SHOWN_DIGITS)}`);
  };
  const oversight: Oversight = {
    audit,
    board,
    digests: createSystemDigests(),
    nowMs: () => Date.now(),
    onAsked,
    ...(policy === undefined ? {} : { policy }),
  };
  try {
    return await run(overseen({ approver: approvalService(board, onAsked), ...services }, oversight), audit);
  } finally {
    await close();
  }
}

/** Digits of an approval's id that tell it from others. */
const SHOWN_DIGITS = 16;

interface Start {
  readonly name: string;
  readonly input: unknown;
  readonly choice: FailureChoice | undefined;
}

/** Where the records of a program go, and what watches it. */
interface Ground {
  readonly journal: Journal;
  readonly blobs: Blobs;
  readonly post: PostOffice;
  readonly guard: AmbientGuard | undefined;
}

async function runOn(
  { journal, blobs, post, guard }: Ground,
  loaded: LoadedDurable,
  services: Services,
  audit: AuditLog,
  start: Start,
  context: Context,
): Promise<ExitCode> {
  const { terminal } = context;
  const program = withChoice(loaded.program, start.choice);
  const domains = new Domains({
    journal,
    blobs,
    post,
    ...(guard === undefined ? {} : { guard }),
    clock: createSystemClock(),
    timers: createSystemTimers(),
    random: createSystemRandom(),
    digests: createSystemDigests(),
    programs: [program, ...Object.values(loaded.beside).map((each) => each.program)],
    services,
    onRefused: (domain, path, op) => {
      const refused = {
        atMs: Date.now(),
        action: "refused",
        domain,
        key: `${domain}:${path}`,
        call: callName(op),
      } as const;
      // Nothing happened that would have to wait for its entry; a disk that takes none stops the calls that follow.
      audit.append(refused).catch(() => {});
    },
    onRestart: async (event) => {
      tellRestart(event, context);
      const { domain, choice, at, error, by } = event;
      const action = choice === "escalate" ? "escalated" : "restarted";
      const key = at.call === undefined ? {} : { key: at.call.key, service: at.call.service };
      await audit.append({ atMs: Date.now(), action, domain, ...key, by, reason: choice, code: error.code });
    },
  });
  try {
    for (const [name, each] of Object.entries(loaded.beside)) await besideBegun(domains, name, each, context);
    const domain = await begun(domains, program, start, context);
    const result = await Promise.race([resultOf(domain), aborted(context.interrupt)]);
    terminal.record({ ok: true, domain: domain.name, result: asJson(result) });
    if (result !== undefined && result !== null) terminal.line(asText(result));
    return EXIT.ok;
  } catch (error) {
    if (context.interrupt.aborted) terminal.note(`${start.name} goes on when the same command is run again.`);
    throw error;
  } finally {
    await domains.close();
  }
}

/** What a domain ended with. What is no refusal of ours was thrown by the program itself. */
async function resultOf({ name, result }: DurableDomain): Promise<unknown> {
  try {
    // A sealed program's objects are of its own realm.
    return structuredClone(await result);
  } catch (error) {
    throw isRefusal(error) ? error : thrownBy(name, error);
  }
}

function isRefusal(error: unknown): boolean {
  return (errorCodeOf(error) ?? "abi.unexpected") !== "abi.unexpected";
}

function thrownBy(name: string, error: unknown): TaskFailedError {
  const { text, at, code } = describeThrown(error);
  const unnamed = code === "abi.unexpected";
  const said = unnamed ? { text: (error as Error).message, at, code: undefined } : { text, at, code };
  return new TaskFailedError({ id: 0, name, path: "/0" }, said, unnamed ? undefined : error);
}

/** The domain, started or resumed. Others of the same journal rest. */
async function begun(
  domains: Domains,
  program: LoadedDurable["program"],
  { name, input, choice }: Start,
  { terminal }: Context,
): Promise<DurableDomain> {
  const resumed = await goneOn(domains, name, choice);
  if (resumed === undefined) {
    const domain = await domains.start(name, program, input as never).catch((error: unknown) => {
      // What is no error of ours was thrown by the program's own `run`.
      throw isRefusal(error) ? error : thrownBy(name, error);
    });
    terminal.record({ event: "started", domain: name });
    return domain;
  }
  terminal.record({ event: resumed.state === "ended" ? "ended-before" : "resumed", domain: name });
  if (resumed.state !== "ended") terminal.note(`${name} goes on.`);
  return resumed;
}

/** The domain of the journal, if there is one; a failed one is restarted where that was asked for. */
async function goneOn(
  domains: Domains,
  name: string,
  choice: FailureChoice | undefined,
): Promise<DurableDomain | undefined> {
  const resumed = await domains.resume(name);
  if (choice === undefined || choice === "escalate" || resumed?.state !== "ended") return resumed;
  if ((await domains.failure(name)) === undefined) return resumed;
  return await domains.restart(name, choice, "");
}

/** A domain beside the program, started or resumed. It rests when the program has ended, and goes on with the next run. */
async function besideBegun(
  domains: Domains,
  name: string,
  { program, input = null }: BesideDomain,
  { terminal }: Context,
): Promise<void> {
  checkName("The domain", name);
  const resumed = await domains.resume(name);
  const domain = resumed ?? (await domains.start(name, program, input as never));
  const event = resumed === undefined ? "started" : resumed.state === "ended" ? "ended-before" : "resumed";
  terminal.record({ event, domain: name });
  domain.result.catch((error: unknown) => {
    if (domain.state === "ended") terminal.note(`${name} failed: ${describeThrown(error).text}`);
  });
}
