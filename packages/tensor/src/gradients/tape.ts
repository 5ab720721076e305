/**
 * Gradients by reverse-mode differentiation: a tape notes each operation and plays its derivative backwards (Linnainmaa 1970; Griewank and
 * Walther, "Evaluating Derivatives", 2nd edition, chapter 3).
 *
 * GR1. `backward` gives every variable that the result depends on its gradient, the sum over all uses.
 * GR2. What operations and gradients take belongs to the tape and goes back with `free`; tensors that were given to it stay the caller's.
 * GR3. A tape is played once. Operations on variables of another tape, or after that, are refused and nothing is taken.
 */
import { BadOptionError, WrongDTypeError } from "../errors.ts";
import type { Tensor } from "../tensor.ts";

/** A tensor on a tape. */
export class Variable {
  readonly tape: Tape;
  readonly value: Tensor;
  /** Set by `backward` where the result depends on this: of the shape of `value`. The tape frees it. */
  gradient: Tensor | undefined;

  /** For the operations of a tape. */
  constructor(tape: Tape, value: Tensor) {
    this.tape = tape;
    this.value = value;
  }
}

/** What one operation did, to be played backwards: its result and how to pass the result's gradient on. */
interface Step {
  readonly result: Variable;
  readonly back: (gradient: Tensor) => void;
}

/** Notes operations. */
export class Tape {
  readonly #steps: Step[] = [];
  readonly #variables: Variable[] = [];
  readonly #taken: Tensor[] = [];
  #played = false;

  /** A tensor of f32 or f64 whose gradient is wanted. @throws WrongDTypeError */
  variable(value: Tensor): Variable {
    if (value.dtype !== "f32" && value.dtype !== "f64")
      throw new WrongDTypeError("variable", value.dtype, ["f32", "f64"]);
    value.at;
    const made = new Variable(this, value);
    this.#variables.push(made);
    return made;
  }

  /** For operations: what `operands` may be used for. @throws BadOptionError (GR3) */
  require(operation: string, operands: readonly (Variable | undefined)[]): void {
    if (this.#played) throw new BadOptionError(operation, "the tape", "played", "one that was not played");
    for (const one of operands)
      if (one !== undefined && one.tape !== this)
        throw new BadOptionError(operation, "a variable", "of another tape", "of this tape");
  }

  /** For operations: a tensor that goes back with the tape. */
  keep(taken: Tensor): Tensor {
    this.#taken.push(taken);
    return taken;
  }

  /** For operations: note one; `back` gets the gradient of the result and calls `pass` for each operand. */
  note(value: Tensor, back: (gradient: Tensor) => void): Variable {
    const result = new Variable(this, this.keep(value));
    this.#variables.push(result);
    this.#steps.push({ result, back });
    return result;
  }

  /** For operations: add to a variable's gradient. `gradient` is the tape's from now on. */
  pass(to: Variable, gradient: Tensor): void {
    this.keep(gradient);
    if (to.gradient === undefined) to.gradient = gradient;
    else to.gradient.addScaled(gradient, 1);
  }

  /** Play back from a result of one element. @throws BadOptionError */
  backward(result: Variable): void {
    this.require("backward", [result]);
    if (result.value.size !== 1)
      throw new BadOptionError("backward", "the size of the result", result.value.size, "1");
    this.#played = true;
    this.pass(result, result.value.copy().fill(1));
    for (const step of this.#steps.reverse())
      if (step.result.gradient !== undefined) step.back(step.result.gradient);
  }

  /** Give back everything that the tape took, gradients included. Once or more often. */
  free(): void {
    this.#played = true;
    for (const one of this.#taken.splice(0)) one.free();
    for (const one of this.#variables.splice(0)) one.gradient = undefined;
  }

  [Symbol.dispose](): void {
    this.free();
  }
}
