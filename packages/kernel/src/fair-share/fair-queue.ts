/**
 * Start-time fair queueing (Goyal, Vin, Cheng, "Start-time Fair Queueing", SIGCOMM 1996): many flows share one server by weight.
 *
 * An item gets a start tag S = max(v, F of the item before it in its flow) and a finish tag F = S + cost / weight. The item with the
 * least start tag goes next, and the virtual time v is the start tag of the item that went last.
 *
 * F1. For any two flows that stay backlogged over any stretch of work, the work served to each differs by little:
 *     |W1/w1 - W2/w2| <= c1/w1 + c2/w2, where c is the greatest cost of one item of that flow (theorem 1 of the paper).
 * F2. A flow that was idle starts at v: it neither catches up on what it did not ask for, nor does it wait for others to.
 * F3. A flow that was held (its items could not be served) goes on at v as well, for the same reason.
 * F4. Inside a flow, first in first out. Equal start tags: the flow that became backlogged first.
 * F5. The cost of an item may be corrected after it was served (`charge`): what it really took is paid by its flow's next item.
 */
import { BadOptionError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { type Tagged, TagHeap } from "./tag-heap.ts";

const WEIGHT_LEAST = 1e-3;
const WEIGHT_MOST = 1e3;
const COST_LEAST = 1e-2;
const COST_MOST = 1e5;
const CAPACITY_MOST = 16_777_216;
const FLOWS_MOST = 65_536;
/** Virtual time at which all tags are moved back: below it the least cost at the greatest weight is 1e-5, far more than a double rounds. */
const REBASE_AT = 134_217_728;

/** How a flow is made. */
export interface FlowOptions {
  /** Share relative to other flows: 0.001 to 1000, default 1. */
  readonly weight?: number;
  /** Items it holds at most: 1 to 16,777,216, default 1024. */
  readonly capacity?: number;
}

/** A flow of a fair queue. */
export interface Flow<Item> {
  readonly weight: number;
  readonly capacity: number;
  /** Items that wait. */
  readonly depth: number;
  /** Whether it is held: its items wait until `release`. */
  readonly held: boolean;
  /** The item that would go next. */
  readonly head: Item | undefined;
}

/** What `shift` takes out. */
export interface Served<Item> {
  readonly flow: Flow<Item>;
  readonly item: Item;
  /** The cost it was added with. */
  readonly cost: number;
}

interface Entry<Item> {
  readonly item: Item;
  readonly cost: number;
}

/** A flow and its tags. Internal. */
class Lane<Item> implements Flow<Item>, Tagged {
  readonly weight: number;
  readonly capacity: number;
  held = false;
  /** Start tag of the head; F of the last one served while nothing waits. */
  tag = 0;
  turn = 0;
  at = -1;
  entries: Entry<Item>[] = [];
  first = 0;

  constructor(weight: number, capacity: number) {
    this.weight = weight;
    this.capacity = capacity;
  }

  get depth(): number {
    return this.entries.length - this.first;
  }

  get head(): Item | undefined {
    return this.entries[this.first]?.item;
  }
}

/** Flows that share one server by weight. Adding and taking cost O(log flows). */
export class FairQueue<Item> {
  readonly #lanes = new Set<Lane<Item>>();
  /** Flows with items that may be served. */
  readonly #heap = new TagHeap<Lane<Item>>();
  #virtual = 0;
  /** The greatest finish tag given out. */
  #finished = 0;
  #size = 0;

  /** Items that wait, held ones included. */
  get size(): number {
    return this.#size;
  }

  /** Whether `shift` would give an item. */
  get servable(): boolean {
    return this.#heap.size > 0;
  }

  /** Make a flow; it starts at the present virtual time (F2). @throws {BadOptionError} at 65,536 flows, and for bad options. */
  flow(options: FlowOptions = {}): Flow<Item> {
    checkOptions("the options of a flow", options);
    const { weight = 1, capacity = 1024 } = options;
    within("weight", weight, WEIGHT_LEAST, WEIGHT_MOST);
    if (!Number.isInteger(capacity)) throw new BadOptionError("capacity", capacity, "a whole number");
    within("capacity", capacity, 1, CAPACITY_MOST);
    if (this.#lanes.size >= FLOWS_MOST)
      throw new BadOptionError("flows", this.#lanes.size + 1, `at most ${FLOWS_MOST}`);
    const lane = new Lane<Item>(weight, capacity);
    this.#lanes.add(lane);
    return lane;
  }

  /** Forget a flow. Returns the items that waited in it. */
  drop(flow: Flow<Item>): readonly Item[] {
    const lane = this.#own(flow);
    this.#size -= lane.depth;
    if (lane.at >= 0) this.#leave(lane);
    this.#lanes.delete(lane);
    return lane.entries
      .splice(0)
      .slice(lane.first)
      .map(({ item }) => item);
  }

  /** Add an item with its cost: 0.01 to 100,000, default 1. Returns whether there was room. @throws {BadOptionError} */
  push(flow: Flow<Item>, item: Item, cost = 1): boolean {
    const lane = this.#own(flow);
    within("cost", cost, COST_LEAST, COST_MOST);
    if (lane.depth >= lane.capacity) return false;
    lane.entries.push({ item, cost });
    this.#size++;
    if (lane.depth === 1 && !lane.held) this.#join(lane);
    return true;
  }

  /** Take the item that goes next, or undefined. */
  shift(): Served<Item> | undefined {
    const lane = this.#heap.top;
    if (lane === undefined) return undefined;
    const { item, cost } = lane.entries[lane.first]!;
    this.#takeOut(lane);
    this.#virtual = Math.max(this.#virtual, lane.tag);
    this.#advance(lane, cost);
    if (lane.depth > 0) this.#heap.moved(lane);
    else this.#leave(lane);
    if (this.#virtual > REBASE_AT) this.#rebase();
    return { flow: lane, item, cost };
  }

  /** Take an item out before its turn, whoever it is. Returns whether it waited. O(items of the flow). */
  remove(flow: Flow<Item>, item: Item): boolean {
    const lane = this.#own(flow);
    const at = lane.entries.findIndex((entry, i) => i >= lane.first && entry.item === item);
    if (at < 0) return false;
    lane.entries.splice(at, 1);
    this.#size--;
    if (lane.depth === 0 && lane.at >= 0) this.#leave(lane);
    return true;
  }

  /** Correct what an item cost after it was served: -100,000 to 100,000 on its flow's account (F5). */
  charge(flow: Flow<Item>, extra: number): void {
    const lane = this.#own(flow);
    within("extra cost", extra, -COST_MOST, COST_MOST);
    this.#advance(lane, extra);
    if (lane.at >= 0) this.#heap.moved(lane);
  }

  /** Keep a flow's items from being served. Adding goes on. */
  hold(flow: Flow<Item>): void {
    const lane = this.#own(flow);
    lane.held = true;
    if (lane.at >= 0) this.#leave(lane);
  }

  /** Let a held flow's items be served again, from the present virtual time on (F3). */
  release(flow: Flow<Item>): void {
    const lane = this.#own(flow);
    if (!lane.held) return;
    lane.held = false;
    if (lane.depth > 0) this.#join(lane);
  }

  #own(flow: Flow<Item>): Lane<Item> {
    const lane = flow as Lane<Item>;
    if (!this.#lanes.has(lane))
      throw new BadOptionError("flow", "of another queue, or dropped", "a flow of this queue");
    return lane;
  }

  #takeOut(lane: Lane<Item>): void {
    this.#size--;
    lane.first++;
    // The items served are cut off when they are half of the array, so taking one out is O(1) on average.
    if (lane.first * 2 <= lane.entries.length) return;
    lane.entries = lane.entries.slice(lane.first);
    lane.first = 0;
  }

  #join(lane: Lane<Item>): void {
    lane.tag = Math.max(lane.tag, this.#virtual);
    this.#heap.join(lane);
  }

  #leave(lane: Lane<Item>): void {
    this.#heap.leave(lane);
    // At the end of a busy time the virtual time is the greatest finish tag, as the paper says.
    if (this.#size === 0) this.#virtual = Math.max(this.#virtual, this.#finished);
  }

  #advance(lane: Lane<Item>, cost: number): void {
    lane.tag = Math.max(0, lane.tag + cost / lane.weight);
    this.#finished = Math.max(this.#finished, lane.tag);
  }

  /** Move every tag back by the virtual time. Differences stay, so the order does. */
  #rebase(): void {
    for (const lane of this.#lanes) lane.tag = Math.max(0, lane.tag - this.#virtual);
    this.#finished = Math.max(0, this.#finished - this.#virtual);
    this.#virtual = 0;
  }
}

function within(option: string, value: number, least: number, most: number): void {
  if (!(typeof value === "number" && value >= least && value <= most))
    throw new BadOptionError(option, value, `from ${least} to ${most}`);
}
