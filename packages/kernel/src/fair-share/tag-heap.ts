/** Flows in order of their start tags, and of their arrival for equal tags: a binary heap whose items know their place. */

/** What stands in the heap. */
export interface Tagged {
  /** Start tag. Call `moved` after changing it. */
  tag: number;
  /** Order of joining, written by the heap. */
  turn: number;
  /** Place in the heap, -1 outside; written by the heap. */
  at: number;
}

/** The heap. Internal. */
export class TagHeap<Flow extends Tagged> {
  readonly #flows: Flow[] = [];
  #turns = 0;

  get size(): number {
    return this.#flows.length;
  }

  /** The flow with the least tag. */
  get top(): Flow | undefined {
    return this.#flows[0];
  }

  /** Add a flow that is outside. */
  join(flow: Flow): void {
    flow.turn = this.#turns++;
    flow.at = this.#flows.length;
    this.#flows.push(flow);
    this.#up(flow.at);
  }

  /** Take a flow out that is inside. */
  leave(flow: Flow): void {
    const at = flow.at;
    const last = this.#flows.pop()!;
    flow.at = -1;
    if (last === flow) return;
    this.#put(at, last);
    this.moved(last);
  }

  /** The tag of a flow inside has changed. */
  moved(flow: Flow): void {
    this.#up(flow.at);
    this.#down(flow.at);
  }

  #before(a: Flow, b: Flow): boolean {
    return a.tag < b.tag || (a.tag === b.tag && a.turn < b.turn);
  }

  #up(start: number): void {
    const flow = this.#flows[start]!;
    let at = start;
    while (at > 0) {
      const above = this.#flows[(at - 1) >> 1]!;
      if (!this.#before(flow, above)) break;
      this.#put(at, above);
      at = (at - 1) >> 1;
    }
    this.#put(at, flow);
  }

  #down(start: number): void {
    const flows = this.#flows;
    const flow = flows[start]!;
    let at = start;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= flows.length) break;
      if (child + 1 < flows.length && this.#before(flows[child + 1]!, flows[child]!)) child++;
      if (!this.#before(flows[child]!, flow)) break;
      this.#put(at, flows[child]!);
      at = child;
    }
    this.#put(at, flow);
  }

  #put(at: number, flow: Flow): void {
    this.#flows[at] = flow;
    flow.at = at;
  }
}
