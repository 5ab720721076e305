/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): every node ranks all nodes for a key the same way, and a node that comes or goes
 * changes the rank of no other two. The weight mixes the words of key and node with the 32-bit finalizer of MurmurHash3.
 */
import type { NodeId } from "@glia-os/abi/ids";
import { type KeyWords, wordsOf } from "../kademlia/distance.ts";

interface Weighed {
  readonly node: NodeId;
  readonly high: number;
  readonly low: number;
}

/** The `count` nodes with the greatest weight for a key (64 hexadecimal digits), greatest first. O(nodes). */
export function rendezvous(key: string, nodes: readonly NodeId[], count: number): NodeId[] {
  const words = wordsOf(key);
  const top: Weighed[] = [];
  for (const node of nodes) {
    const weighed = { node, ...weight(words, wordsOf(node)) };
    const last = top[count - 1];
    if (last !== undefined && !heavier(weighed, last)) continue;
    let at = top.length;
    while (at > 0 && heavier(weighed, top[at - 1] as Weighed)) at--;
    top.splice(at, 0, weighed);
    if (top.length > count) top.pop();
  }
  return top.map(({ node }) => node);
}

/** 64 bits of weight as two words. */
export function weight(key: KeyWords, node: KeyWords): { readonly high: number; readonly low: number } {
  let high = 0x9e37_79b9;
  let low = 0x85eb_ca6b;
  for (let i = 0; i < key.length; i++) {
    high = mix(high ^ (key[i] as number) ^ mix(node[i] as number));
    low = mix((low + high) ^ mix((node[i] as number) + (key[i] as number)));
  }
  return { high, low };
}

function heavier(a: Weighed, b: Weighed): boolean {
  if (a.high !== b.high) return a.high > b.high;
  return a.low !== b.low ? a.low > b.low : a.node < b.node;
}

function mix(word: number): number {
  let hash = word | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
