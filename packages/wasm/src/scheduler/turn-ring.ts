/**
 * Whose turn it is: round robin with weights.
 *
 * T1. In one round every ready guest gets at most as many turns as its weight, and a guest that stays ready gets exactly as many.
 * T2. Within a round guests with turns left alternate; nobody has two turns in a row while another one waits with turns left.
 * T3. A guest that wakes goes behind those that wait. Waking often does not give more turns than T1.
 * T4. Taking, lining up and leaving take constant time.
 */

import { MemberList, type Seat } from "./member-list.ts";

/** What the ring needs of a member. */
export interface Weighted<Member> {
  /** Turns per round, from 1. */
  readonly weight: number;
  readonly seat: Seat<Member>;
}

/** The ready guests. */
export class TurnRing<Member extends Weighted<Member>> {
  #now = new MemberList<Member>();
  #later = new MemberList<Member>();
  #round = 1;
  #size = 0;

  /** How many are ready. */
  get size(): number {
    return this.#size;
  }

  /** Line up. Nothing happens to a member that is in line. */
  push(member: Member): void {
    const place = member.seat;
    if (place.list !== undefined) return;
    if (place.round !== this.#round) {
      place.round = this.#round;
      place.turns = member.weight;
    }
    (place.turns > 0 ? this.#now : this.#later).push(member);
    this.#size += 1;
  }

  /** The one whose turn it is; it leaves the line. */
  take(): Member | undefined {
    if (this.#now.first === undefined) this.#nextRound();
    const member = this.#now.first;
    if (member === undefined) return undefined;
    this.remove(member);
    const place = member.seat;
    if (place.round !== this.#round) {
      place.round = this.#round;
      place.turns = member.weight;
    }
    place.turns -= 1;
    return member;
  }

  /** The one among those that `fits` accepts that will wait longest; it stays in line. Looks from the end of the line. */
  last(fits: (member: Member) => boolean): Member | undefined {
    return this.#later.last(fits) ?? this.#now.last(fits);
  }

  /** Leave the line. Nothing happens to a member that is not in it. */
  remove(member: Member): void {
    const { list } = member.seat;
    if (list !== this.#now && list !== this.#later) return;
    (list as MemberList<Member>).remove(member);
    this.#size -= 1;
  }

  #nextRound(): void {
    const empty = this.#now;
    this.#now = this.#later;
    this.#later = empty;
    this.#round += 1;
  }
}
