/**
 * The primitive `shard`: who is responsible for a key, by rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to
 * increase hit rates", 1998) over one version of a view.
 *
 * SH1. Everybody with the same members gets the same answer, whatever order they came in; the answer says of which view it is.
 * SH2. A member that comes takes keys from the others and moves none between them; one that goes gives up its own keys only. So a change of one
 *      among n moves about 1 key in n.
 *
 * Promised: SH1 and SH2. Not promised: that two agents have the same view at one time. Who must not act on an old view compares versions,
 * or holds a lease. The weights are 64 bits, mixed with the finalizer of MurmurHash3 (Appleby, public domain).
 */
import { checkText, checkWhole } from "./check-option.ts";
import { BadOptionError } from "./errors.ts";

/** Members of one view. */
export const MEMBERS_MAX = 10_000;
/** Characters of a key. */
export const KEY_CHARS_MAX = 1024;

/** Who is there, as of one version. Plain data. */
export interface View {
  readonly version: number;
  /** Ids or names, each once. */
  readonly members: readonly string[];
}

/** Who is responsible, and by which view. */
export interface Responsible {
  readonly view: number;
  /** The first is the owner; the others follow it when it goes, in this order. */
  readonly owners: readonly string[];
}

interface Words {
  readonly high: number;
  readonly low: number;
}

/** A view made ready for many keys. */
export class Shards {
  readonly view: View;
  readonly #words: readonly (readonly [member: string, words: Words])[];

  /** O(members). @throws {BadOptionError} */
  constructor(view: View) {
    checkWhole("version", view.version, 0, Number.MAX_SAFE_INTEGER);
    checkWhole("members", view.members.length, 1, MEMBERS_MAX);
    const members = [...new Set(view.members)];
    if (members.length < view.members.length) throw new BadOptionError("members", "one is named twice");
    for (const member of members) checkText("members", member, KEY_CHARS_MAX);
    this.view = { version: view.version, members };
    this.#words = members.map((member) => [member, wordsOf(member)]);
  }

  /** The `count` members responsible for a key, the owner first; fewer when there are fewer. O(members + key). @throws {BadOptionError} */
  of(key: string, count = 1): Responsible {
    checkText("key", key, KEY_CHARS_MAX);
    checkWhole("count", count, 1, MEMBERS_MAX);
    const words = wordsOf(key);
    const top: { member: string; weight: Words }[] = [];
    for (const [member, own] of this.#words) {
      const weight = mixed(words, own);
      const last = top[count - 1];
      if (last !== undefined && !heavier(weight, member, last)) continue;
      let at = top.length;
      while (at > 0 && heavier(weight, member, top[at - 1] as (typeof top)[number])) at--;
      top.splice(at, 0, { member, weight });
      if (top.length > count) top.pop();
    }
    return { view: this.view.version, owners: top.map(({ member }) => member) };
  }

  /** The owner of a key. O(members + key). @throws {BadOptionError} */
  owner(key: string): string {
    return this.of(key).owners[0] as string;
  }
}

/** Who is responsible for one key; make `Shards` for many. @throws {BadOptionError} */
export function shard(view: View, key: string, count = 1): Responsible {
  return new Shards(view).of(key, count);
}

function heavier(
  weight: Words,
  member: string,
  than: { readonly member: string; readonly weight: Words },
): boolean {
  if (weight.high !== than.weight.high) return weight.high > than.weight.high;
  return weight.low !== than.weight.low ? weight.low > than.weight.low : member < than.member;
}

function wordsOf(text: string): Words {
  let high = 0x9e37_79b9 ^ text.length;
  let low = 0x85eb_ca6b;
  for (let at = 0; at < text.length; at++) {
    high = Math.imul(high ^ text.charCodeAt(at), 0xcc9e_2d51);
    low = Math.imul((low << 13) | (low >>> 19), 0x1b87_3593) ^ high;
  }
  return { high: mix(high), low: mix(low) };
}

function mixed(key: Words, member: Words): Words {
  const high = mix(key.high ^ mix(member.high ^ member.low));
  return { high, low: mix(key.low + mix(member.low + high)) };
}

function mix(word: number): number {
  let hash = word | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
