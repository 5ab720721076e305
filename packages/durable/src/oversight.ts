/**
 * Services behind a guard: each call is judged by the policy, approved where that is asked for, written to the audit, and only then begun.
 *
 * G1. No call begins before its entry `allowed` is durable, and none that was denied begins.
 * G2. A call that waited for its approval when its process ended waits on; one that had begun and may happen once only fails with
 *     `durable.outcome-unknown`, as without a guard. The audit tells the two apart.
 * G3. Arguments of tools and models are secret: the audit has no trace of them. The board shows them to who decides.
 */
import type { Approval, ApprovalBoard, CancelSignal, HttpRequest } from "@glia-os/abi/ports";
import { syscallByNumber } from "@glia-os/abi/syscalls";
import {
  CancelSource,
  SERVICE_KINDS,
  type Service,
  type ServiceCall,
  type ServiceKind,
} from "@glia-os/kernel/services";
import { encode, rfc8949EncodeOptions } from "cborg";
import { askOn, type OnAsked } from "./approvals.ts";
import type { AuditAction, AuditEvent } from "./audit.ts";
import type { AuditLog } from "./audit-log.ts";
import type { Sha256 } from "./derived-random.ts";
import { OutcomeUnknownError } from "./errors.ts";
import { hexOf } from "./kept-value.ts";
import { DeniedError } from "./oversight-errors.ts";
import { askedBecause, type OversightPolicy } from "./oversight-policy.ts";
import type { DurableService } from "./program.ts";

/** What a guard works with. */
export interface Oversight {
  readonly audit: AuditLog;
  readonly digests: Sha256;
  /** The time outside, in milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Which calls need an approval. Default: none, and every call is audited. */
  readonly policy?: OversightPolicy;
  /** Where approvals are asked for; needed with a policy. */
  readonly board?: ApprovalBoard;
  readonly onAsked?: OnAsked;
}

/** Put every service behind a guard. Each may be asked again after a restart: the guard knows what had begun (G2). */
export function overseen(
  services: Readonly<Record<string, DurableService>>,
  oversight: Oversight,
): Readonly<Record<string, DurableService>> {
  return Object.fromEntries(
    Object.entries(services).map(([name, each]) => [name, guarded(name, each, oversight)]),
  );
}

function guarded(name: string, each: DurableService, oversight: Oversight): DurableService {
  const guard = new Guard(name, each, oversight);
  const mayTryAgain = (request: unknown): boolean => each.mayTryAgain?.(request) ?? guard.mayRepeat(request);
  const { faultIn } = each;
  return { service: guard, repeatable: true, mayTryAgain, ...(faultIn === undefined ? {} : { faultIn }) };
}

/** What a call does when it is settled. */
type Settle = Parameters<Service["perform"]>[1];

class Guard implements Service {
  readonly kind: ServiceKind;
  readonly name: string;
  readonly concurrency: number;
  declare readonly meter?: Service["meter"] & object;
  readonly #inner: Service;
  readonly #repeatable: boolean | undefined;
  readonly #oversight: Oversight;

  constructor(name: string, { service, repeatable }: DurableService, oversight: Oversight) {
    this.kind = service.kind;
    this.name = name;
    this.concurrency = service.concurrency ?? 256;
    if (service.meter !== undefined) this.meter = service.meter;
    this.#inner = service;
    this.#repeatable = repeatable;
    this.#oversight = oversight;
  }

  perform(request: unknown, settle: Settle, call: ServiceCall): () => void {
    const cancel = new CancelSource();
    let stop: (() => void) | undefined;
    this.#admit(request, call, cancel).then(
      () => {
        if (!cancel.cancelled) stop = this.#inner.perform(request, this.#audited(settle, call), call);
      },
      (error: unknown) => settle.fail(error),
    );
    return () => {
      cancel.cancel("the task stopped waiting");
      stop?.();
    };
  }

  /** Resolves when the call may begin (G1). @throws {DeniedError} {OutcomeUnknownError} {AuditUnwritableError} and what the board throws */
  async #admit(request: unknown, call: ServiceCall, cancel: CancelSignal): Promise<void> {
    const { audit, digests, policy } = this.#oversight;
    const [{ key }, service] = [call, this.name];
    if (audit.wasAllowed(key) && !this.mayRepeat(request)) throw new OutcomeUnknownError(service, key);
    const failing = audit.isFailing(domainOf(key), service);
    const mode =
      policy === undefined || this.kind === "approver"
        ? undefined
        : askedBecause(policy, { service, key, failing }, digests);
    if (mode !== undefined) await this.#approved(request, call, cancel, mode);
    await this.#note("allowed", call, { ...this.#argsOf(request), ...(mode && { mode }) });
  }

  async #approved(request: unknown, call: ServiceCall, cancel: CancelSignal, mode: string): Promise<void> {
    const { board, onAsked = () => {} } = this.#oversight;
    if (board === undefined) return;
    const [question, args] = [`May ${this.name} be called? (${mode})`, shownArgs(request)];
    const approval = await askOn(board, { key: call.key, question, args }, cancel, onAsked);
    await this.#note(approval.approved ? "approved" : "denied", call, { ...decided(approval), mode });
    if (!approval.approved) throw new DeniedError(this.name, approval);
  }

  /** Settles as it is told to, with a line in the audit. Nobody waits for that line: an effect that happened cannot be held back. */
  #audited(settle: Settle, call: ServiceCall): Settle {
    const note = (action: AuditAction, facts: Partial<AuditEvent> = {}): void => {
      this.#note(action, call, facts).catch(() => {});
    };
    return {
      ok: (value) => {
        if (this.kind === "approver") note(...answerOf(value as Approval));
        else note("ended");
        return settle.ok(value);
      },
      fail: (error) => {
        const code = (error as { code?: unknown } | null)?.code;
        note("failed", typeof code === "string" ? { code } : {});
        return settle.fail(error);
      },
    };
  }

  #note(action: AuditAction, { key }: ServiceCall, facts: Partial<AuditEvent>): Promise<void> {
    const { audit, nowMs } = this.#oversight;
    const call = syscallByNumber(SERVICE_KINDS[this.kind].op)?.name ?? this.kind;
    const atMs = nowMs.call(this.#oversight);
    return audit.append({ atMs, action, domain: domainOf(key), key, call, service: this.name, ...facts });
  }

  #argsOf(request: unknown): { readonly args?: string } {
    const secret = syscallByNumber(SERVICE_KINDS[this.kind].op)?.args.some((each) => each.secret === true);
    if (secret === true) return {};
    return { args: hexOf(this.#oversight.digests.sha256(encode(request, rfc8949EncodeOptions))) };
  }

  /** Whether a call that had begun may begin again. */
  mayRepeat(request: unknown): boolean {
    if (this.#repeatable !== undefined) return this.#repeatable;
    if (this.kind === "http") return ["GET", "HEAD"].includes((request as HttpRequest).method);
    return this.kind !== "tool";
  }
}

/** The domain of a key `DOMAIN:PATH#NUMBER`. */
function domainOf(key: string): string {
  return key.slice(0, key.lastIndexOf(":"));
}

function answerOf(approval: Approval): [AuditAction, Partial<AuditEvent>] {
  return [approval.approved ? "approved" : "denied", decided(approval)];
}

function decided({ by, reason }: Approval): Partial<AuditEvent> {
  return { by, ...(reason === undefined ? {} : { reason }) };
}

const SHOWN_LIMIT = 65_536;
const SHOWN_BYTES = 256;

/** Arguments as JSON for people: bytes as hexadecimal digits, their beginning when they are many. */
function shownArgs(request: unknown): string {
  const json = JSON.stringify(request ?? null, (_key, value: unknown) => {
    if (typeof value === "bigint") return value.toString();
    if (!(value instanceof Uint8Array)) return value;
    return { bytes: value.length, begins: hexOf(value.subarray(0, SHOWN_BYTES)) };
  });
  return json.length <= SHOWN_LIMIT
    ? json
    : JSON.stringify({ characters: json.length, begins: json.slice(0, 8_192) });
}
