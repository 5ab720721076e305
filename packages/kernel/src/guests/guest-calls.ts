/**
 * Calls of `glia.sys.v1` as syscalls of the task that runs the guest.
 *
 * GC1. Each is one syscall, so it is authorized, metered, journaled and traced like any task's; the guest's number leads to a handle of
 *      this task or to nothing.
 * GC2. A refusal or failure is an answer to the guest. Cancelling and killing are not: they unwind the task, and the guest with it.
 */
import type { CallResult, EngineInstance, FileOperation, PendingCall } from "@glia-os/abi/ports";
import { GUEST_ERRORS, SYS_MODULE } from "@glia-os/abi/wire";
import { BadOptionError, TaskCancelledError, TaskKilledError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import type { Routine } from "../operation.ts";
import type { Sys } from "../sys.ts";
import {
  answer,
  fetchOf,
  jsonBytes,
  jsonOf,
  messageBytes,
  refusal,
  responseBytes,
  textOf,
} from "./guest-requests.ts";
import type { HeldCapabilities } from "./held-capabilities.ts";
import { type Packed, pack } from "./parcel.ts";

const PREFIX = `${SYS_MODULE}/`;
const DONE: CallResult = { value: 0 };

/** Whether a pending call is one that {@link GuestCalls} performs. */
export function isGuestCall({ op }: PendingCall): boolean {
  return op.startsWith(PREFIX) && Object.hasOwn(PERFORM, op.slice(PREFIX.length));
}

/** Performs one guest's calls. */
export class GuestCalls {
  readonly #sys: Sys;
  readonly #held: HeldCapabilities;
  readonly #memory: Pick<EngineInstance, "read">;
  /** Longest result, in bytes. */
  readonly most: number;

  constructor(sys: Sys, held: HeldCapabilities, memory: Pick<EngineInstance, "read">, most: number) {
    this.#sys = sys;
    this.#held = held;
    this.#memory = memory;
    this.most = most;
  }

  /** The answer to a pending call. @throws what ends the task, and nothing else */
  *perform({ op, args }: PendingCall): Routine<CallResult> {
    const perform = PERFORM[op.slice(PREFIX.length)];
    try {
      return perform === undefined ? { value: GUEST_ERRORS.E_STATE } : yield* perform(this, this.#sys, args);
    } catch (error) {
      if (error instanceof TaskCancelledError || error instanceof TaskKilledError) throw error;
      return refusal(error, this.most);
    }
  }

  /** Bytes of the guest. They were there when it asked; from a snapshot anything may come. @throws {BadOptionError} */
  bytes(pointer = 0, length = 0): Uint8Array {
    const bytes = this.#memory.read(pointer, length);
    if (bytes === undefined)
      throw new BadOptionError("a guest's range", `${pointer}, ${length}`, "inside its memory");
    return bytes;
  }

  handle(number = 0): Handle {
    return this.#held.handleOf(this.#sys, number);
  }

  lookup(name: string): number {
    return this.#held.lookup(this.#sys, name) ?? GUEST_ERRORS.E_DENIED;
  }

  /** The pairs of `send`. */
  packed(pointer = 0, count = 0): readonly Packed[] {
    const pairs = this.bytes(pointer, 8 * count);
    const view = new DataView(pairs.buffer, pairs.byteOffset, pairs.length);
    return Array.from({ length: count }, (_, at) => ({
      handle: this.handle(view.getUint32(8 * at, true)),
      rights: view.getUint32(8 * at + 4, true) & 0xff_ffff,
    }));
  }

  file(number: number | undefined, operation: FileOperation): Routine<unknown> {
    return fileOf(this.#sys, this.handle(number), operation);
  }
}

function* fileOf(sys: Sys, root: Handle, operation: FileOperation): Routine<unknown> {
  return yield* sys.file(root, operation as never);
}

type Perform = (calls: GuestCalls, sys: Sys, args: readonly number[]) => Routine<CallResult>;

const PERFORM: Readonly<Record<string, Perform>> = {
  *lookup(calls, _, [pointer, length]) {
    return { value: calls.lookup(textOf(calls.bytes(pointer, length))) };
  },
  *send(calls, sys, [target, pointer, length, grants, count = 0]) {
    const bytes = calls.bytes(pointer, length);
    const message = count === 0 ? bytes : pack(sys, bytes, calls.packed(grants, count));
    yield* sys.send(calls.handle(target), message);
    return DONE;
  },
  *call(calls, sys, [target, pointer, length, timeoutMs]) {
    const reply: unknown = yield* sys.call(calls.handle(target), calls.bytes(pointer, length), timeoutMs);
    return answer(messageBytes(reply), calls.most);
  },
  *exec(calls, sys, [tool, pointer, length]) {
    const input = jsonOf(calls.bytes(pointer, length));
    return answer(jsonBytes(yield* sys.exec(calls.handle(tool), input)), calls.most);
  },
  *fetch(calls, sys, [grant, head, headLength, body, bodyLength]) {
    const request = fetchOf(calls.bytes(head, headLength), calls.bytes(body, bodyLength));
    return answer(responseBytes(yield* sys.fetch(calls.handle(grant), request)), calls.most);
  },
  *file_read(calls, _, [root, pointer, length, limit = 0]) {
    const path = textOf(calls.bytes(pointer, length));
    const limitBytes = Math.min(limit >>> 0, calls.most);
    const content = yield* calls.file(root, { operation: "read", path, limitBytes });
    return answer(content as Uint8Array, calls.most);
  },
  *file_write(calls, _, [root, pointer, length, content, contentLength]) {
    const path = textOf(calls.bytes(pointer, length));
    yield* calls.file(root, { operation: "write", path, content: calls.bytes(content, contentLength) });
    return DONE;
  },
  *file_list(calls, _, [root, pointer, length]) {
    const path = textOf(calls.bytes(pointer, length));
    return answer(jsonBytes(yield* calls.file(root, { operation: "list", path })), calls.most);
  },
  *model(calls, sys, [model, pointer, length]) {
    const request = jsonOf(calls.bytes(pointer, length));
    return answer(jsonBytes(yield* sys.model(calls.handle(model), request)), calls.most);
  },
  *approve(calls, sys, [approver, pointer, length]) {
    const question = textOf(calls.bytes(pointer, length));
    return answer(jsonBytes(yield* sys.approve(calls.handle(approver), question)), calls.most);
  },
};
