/** Every refusal of this package, one class each. Codes, what changed and what to do: `tensor.*` of `@glia-os/abi/errors`. */
import { TensorError } from "@glia-os/abi/errors/tensor";
import type { DType } from "./dtype.ts";

/** Another program that was to compute did not. */
export class AdapterFailedError extends TensorError<"tensor.adapter-failed"> {
  constructor(name: string, cause: unknown) {
    super("tensor.adapter-failed", `${name} made no product: ${(cause as Error).message}`, {
      cause,
      details: { name },
    });
  }
}

/** An axis that the tensor does not have, or that was named twice. */
export class BadAxisError extends TensorError<"tensor.bad-axis"> {
  constructor(operation: string, axis: number, rank: number, problem = `is out of range for rank ${rank}`) {
    super("tensor.bad-axis", `${operation}: axis ${axis} ${problem}`, { details: { axis, rank } });
  }
}

/** A backend that is not there or cannot be used on this machine. */
export class BadBackendError extends TensorError<"tensor.bad-backend"> {
  constructor(name: string, problem: string) {
    super("tensor.bad-backend", `the backend ${name} ${problem}`, { details: { name } });
  }
}

/** A view that strides cannot express, or memory that is not the space's. */
export class BadLayoutError extends TensorError<"tensor.bad-layout"> {
  constructor(operation: string, problem: string) {
    super("tensor.bad-layout", `${operation}: ${problem}`);
  }
}

/** A parameter out of its range. */
export class BadOptionError extends TensorError<"tensor.bad-option"> {
  constructor(operation: string, name: string, value: unknown, wanted: string) {
    super("tensor.bad-option", `${operation}: ${name} is ${String(value)}; it must be ${wanted}`);
  }
}

/** A shape that is none, or values that do not fill it. */
export class BadShapeError extends TensorError<"tensor.bad-shape"> {
  constructor(operation: string, problem: string) {
    super("tensor.bad-shape", `${operation}: ${problem}`);
  }
}

/** A reduction that has no value for no elements. */
export class EmptyError extends TensorError<"tensor.empty"> {
  constructor(operation: string, shape: readonly number[], least: number) {
    super(
      "tensor.empty",
      `${operation}: needs ${least} or more elements to reduce, of a tensor of shape ${shapeText(shape)}`,
    );
  }
}

/** A tensor that was freed. */
export class FreedError extends TensorError<"tensor.freed"> {
  constructor(dtype: DType, shape: readonly number[]) {
    super("tensor.freed", `this tensor (${dtype}, shape ${shapeText(shape)}) was freed`);
  }
}

/** Operands of different spaces. */
export class OtherSpaceError extends TensorError<"tensor.other-space"> {
  constructor(operation: string) {
    super("tensor.other-space", `${operation}: the operands lie in different spaces`);
  }
}

/** A queue that was closed. */
export class QueueClosedError extends TensorError<"tensor.queue-closed"> {
  constructor() {
    super("tensor.queue-closed", "this queue was closed");
  }
}

/** Too many products wait. */
export class QueueFullError extends TensorError<"tensor.queue-full"> {
  constructor(most: number) {
    super("tensor.queue-full", `${most} products wait in this queue, as many as may`, { details: { most } });
  }
}

/** More bytes than the space may hold. */
export class QuotaExceededError extends TensorError<"tensor.quota-exceeded"> {
  constructor(bytes: number, used: number, limit: number) {
    super(
      "tensor.quota-exceeded",
      `${bytes} bytes were asked for where ${used} of ${limit} bytes are in use`,
      { details: { bytes, used, limit } },
    );
  }
}

/** Shapes that do not fit each other. */
export class ShapeMismatchError extends TensorError<"tensor.shape-mismatch"> {
  constructor(operation: string, a: readonly number[], b: readonly number[], problem = "do not fit") {
    super(
      "tensor.shape-mismatch",
      `${operation}: the shapes ${shapeText(a)} and ${shapeText(b)} ${problem}`,
      {
        details: { a: shapeText(a), b: shapeText(b) },
      },
    );
  }
}

/** A space that was closed. */
export class SpaceClosedError extends TensorError<"tensor.space-closed"> {
  constructor(backend: string) {
    super("tensor.space-closed", `this space (backend ${backend}) was closed`);
  }
}

/** A tensor that no memory can hold. */
export class TooLargeError extends TensorError<"tensor.too-large"> {
  constructor(operation: string, what: string) {
    super("tensor.too-large", `${operation}: ${what}`);
  }
}

/** A dtype the operation does not take. */
export class WrongDTypeError extends TensorError<"tensor.wrong-dtype"> {
  constructor(operation: string, given: string, taken: readonly string[]) {
    super("tensor.wrong-dtype", `${operation}: the dtype is ${given}; it takes ${taken.join(", ")}`, {
      details: { given },
    });
  }
}

/** A shape as people write it: `[2, 3]`. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}
