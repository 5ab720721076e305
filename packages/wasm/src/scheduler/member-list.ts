/** A doubly linked list through its members: each is in one list at most, and joins and leaves it in constant time. */

/** A member's place in lists. Make one with {@link seat}. */
export interface Seat<Member> {
  previous: Member | undefined;
  next: Member | undefined;
  /** The list it is in. */
  list: object | undefined;
  /** The round of the {@link TurnRing} its turns are of. */
  round: number;
  /** Turns it has left in that round. */
  turns: number;
}

/** A place in no list. */
export function seat<Member>(): Seat<Member> {
  return { previous: undefined, next: undefined, list: undefined, round: 0, turns: 0 };
}

/** Members in order. */
export class MemberList<Member extends { readonly seat: Seat<Member> }> {
  #first: Member | undefined;
  #last: Member | undefined;

  get first(): Member | undefined {
    return this.#first;
  }

  /** The last member that `fits` accepts. */
  last(fits: (member: Member) => boolean): Member | undefined {
    let member = this.#last;
    while (member !== undefined && !fits(member)) member = member.seat.previous;
    return member;
  }

  /** Add a member that is in no list. */
  push(member: Member): void {
    const place = member.seat;
    place.list = this;
    place.previous = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.seat.next = member;
    this.#last = member;
  }

  /** Take a member out; nothing happens to one that is not in this list. */
  remove(member: Member): void {
    const place = member.seat;
    if (place.list !== this) return;
    if (place.previous === undefined) this.#first = place.next;
    else place.previous.seat.next = place.next;
    if (place.next === undefined) this.#last = place.previous;
    else place.next.seat.previous = place.previous;
    place.previous = undefined;
    place.next = undefined;
    place.list = undefined;
  }
}
