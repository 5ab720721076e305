/**
 * Where a function charges fuel, and how much at each place.
 *
 * AN1. Whenever an instruction runs, a charge that covers it ran before, once for this run of it: the place of the charge
 *      dominates the instruction and lies in the same innermost loop. In structured control flow that holds for code after
 *      the charge in the same block or in blocks nested there, as long as no loop starts in between.
 * AN2. A charge covers more than what runs only by instructions that a branch may skip, and by at most {@link SLACK} and one
 *      instruction of those; then a new place is opened. So the total is an upper bound and close to what ran.
 * AN3. A loop opens a place at its header, the function one at its entry.
 */
import { type Instructions, OP } from "../binary/instruction.ts";
import { costOf } from "./call-graph.ts";

/** Instructions a charge may cover that are skipped: the trade between exactness and the number of charges. */
const SLACK = 48;

/** A place that charges. */
export interface Anchor {
  /** Byte before which the charge goes. */
  readonly at: number;
  /** `entry` and `loop` may hold a check, `plain` only a charge. */
  readonly kind: "entry" | "loop" | "plain";
  cost: number;
}

interface Building extends Anchor {
  /** Instructions covered that may be skipped. */
  slack: number;
  /** Whether what follows is certain to run after the charge. */
  sure: boolean;
}

/** The charges of a function. `callCost` says what a call adds for its callee. O(code size). */
export function anchorsOf(
  code: Instructions,
  callCost: (opcode: number, immediate: number) => number,
): Anchor[] {
  const placement = new Placement(code.reader.at);
  while (code.next()) placement.add(code, callCost(code.opcode, code.immediate));
  return placement.anchors;
}

class Placement {
  readonly anchors: Building[] = [];
  readonly #open: (Building | undefined)[] = [];
  #now: Building;
  /** Nesting of blocks that cannot be reached, 0 while code can. */
  #dead = 0;

  constructor(start: number) {
    this.#now = this.#anchor(start, "entry");
  }

  add(code: Instructions, extra: number): void {
    const { opcode } = code;
    const opens = opcode === OP.block || opcode === OP.loop || opcode === OP.if;
    if (this.#dead > 0) {
      if (opens) this.#dead += 1;
      if (opcode === OP.end) this.#dead -= 1;
      if (opcode === OP.else && this.#dead === 1) this.#dead = 0;
      if (this.#dead > 0) return;
      if (opcode === OP.else) this.#otherwise();
      else this.#close();
      return;
    }
    this.#cover(code.start, costOf(opcode) + extra);
    if (opens) this.#enter(opcode, code.end);
    else if (opcode === OP.else) this.#otherwise();
    else if (opcode === OP.end) this.#close();
    else if (opcode === OP.brIf) this.#now.sure = false;
    else if (ENDS.has(opcode)) this.#dead = 1;
  }

  #anchor(at: number, kind: Anchor["kind"]): Building {
    const made: Building = { at, kind, cost: 0, slack: 0, sure: true };
    this.anchors.push(made);
    return made;
  }

  #cover(at: number, cost: number): void {
    if (cost === 0) return;
    if (!this.#now.sure) {
      if (this.#now.slack >= SLACK) this.#now = this.#anchor(at, "plain");
      else this.#now.slack += cost;
    }
    this.#now.cost += cost;
  }

  #enter(opcode: number, body: number): void {
    this.#open.push(this.#now);
    if (opcode === OP.loop) this.#now = this.#anchor(body, "loop");
    else if (opcode === OP.if) this.#now.sure = false;
  }

  /** The other arm begins where the first did: with the place that was open before the `if`. */
  #otherwise(): void {
    this.#now = this.#open.at(-1) as Building;
    this.#now.sure = false;
  }

  /** After a block, what it opened does not dominate any more; what was open before it does. */
  #close(): void {
    const outer = this.#open.pop();
    if (outer === undefined) return;
    // A branch out of the block may have skipped its rest, and what follows comes after all of it.
    outer.sure = false;
    this.#now = outer;
  }
}

const ENDS = new Set<number>([OP.unreachable, OP.br, OP.brTable, OP.return]);
