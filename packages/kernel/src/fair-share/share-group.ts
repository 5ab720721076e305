/**
 * Tasks that share their turns by weight: start-time fair queueing (see `fair-queue.ts`) where the flows are tasks, the server is the
 * scheduler and an item is a turn.
 *
 * G1. While two members of one priority are ready without pause, |S1/w1 - S2/w2| <= l1/w1 + l2/w2 over any stretch of time, where S is
 *     what their turns took, in syscalls or milliseconds, and l the most one turn of that member took.
 * G2. A member that wakes up starts at the virtual time of the group, as a new one does: it does not catch up.
 * G3. Members stand in the ready lists as every task does. When one gets a turn that is due to another ready member, the two change places.
 *     So a group takes no turns from tasks outside of it and gives them none, and costs at most one switch more per turn.
 * G4. Children of a member are members of their own, with its weight.
 */
import { BadOptionError } from "../errors.ts";
import { type Tagged, TagHeap } from "./tag-heap.ts";

const WEIGHT_LEAST = 1e-3;
const WEIGHT_MOST = 1e3;

/** How a task becomes a member. */
export interface ShareRequest {
  readonly group: ShareGroup;
  /** 0.001 to 1000, default 1. */
  readonly weight?: number;
}

/** What a member's state is compared with. */
interface Holder {
  readonly state: number;
}

/** A member. Internal. */
export class Share<Member extends Holder = Holder> implements Tagged {
  readonly group: ShareGroup;
  readonly weight: number;
  readonly holder: Member;
  tag = 0;
  turn = 0;
  at = -1;

  constructor({ group, weight = 1 }: ShareRequest, holder: Member) {
    this.group = group;
    this.weight = weight;
    this.holder = holder;
  }
}

/** Tasks that share turns by weight. Give it to `spawn` as `share: { group, weight }`. */
export class ShareGroup {
  /** What turns are counted in. */
  readonly charge: "syscalls" | "cpuMs";
  /** Members that were ready when last seen. */
  readonly #ready = new TagHeap<Share>();
  #virtual = 0;

  /** `cpuMs` costs two readings of the clock per turn of a member. @throws {BadOptionError} */
  constructor(charge: "syscalls" | "cpuMs" = "syscalls") {
    if (charge !== "syscalls" && charge !== "cpuMs")
      throw new BadOptionError("charge", charge, "syscalls or cpuMs");
    this.charge = charge;
  }

  /** The member that is due when `share`'s holder gets a turn: its own or another ready one. `ready` is the number of that state. */
  due(share: Share, ready: number): Share {
    if (share.at < 0) {
      share.tag = Math.max(share.tag, this.#virtual);
      this.#ready.join(share);
    }
    for (;;) {
      const first = this.#ready.top!;
      if (first === share || first.holder.state === ready) return first;
      // It waits or has ended: it joins again when it gets a turn (G2).
      this.#ready.leave(first);
    }
  }

  /** Charge a turn to the member that had it. */
  charged(share: Share, syscalls: number, ms: number): void {
    this.#virtual = Math.max(this.#virtual, share.tag);
    share.tag += (this.charge === "syscalls" ? syscalls : ms) / share.weight;
    if (share.at >= 0) this.#ready.moved(share);
  }
}

/** What a new task is a member of: what was asked for, or its parent's group. @throws {BadOptionError} */
export function membershipOf(
  inherited: Share | null,
  request: ShareRequest | undefined,
): ShareRequest | null {
  if (request === undefined) return inherited;
  const { group, weight = 1 } = request;
  if (!(group instanceof ShareGroup))
    throw new BadOptionError("share group", group, "made with new ShareGroup()");
  if (!(typeof weight === "number" && weight >= WEIGHT_LEAST && weight <= WEIGHT_MOST))
    throw new BadOptionError("weight", weight, `from ${WEIGHT_LEAST} to ${WEIGHT_MOST}`);
  return request;
}
