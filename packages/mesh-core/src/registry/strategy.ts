/** Where records lie: two ways behind one face (docs/spec/registry.md). */
import type { NodeId } from "@glia-os/abi/ids";
import { compareDistance, wordsOf } from "../kademlia/distance.ts";
import type { Kademlia, TakeValue } from "../kademlia/kademlia.ts";
import { rendezvous } from "./rendezvous.ts";

/** Most members of the full view; beyond it Kademlia is the better choice. */
export const FULL_VIEW_MEMBERS_MAX = 500;
/** Holders a full-view lookup asks at once, and how many in all: a view that just changed may rank others first. */
const READ_AT_ONCE = 2;
const READ_MAX = 6;

/** How a lookup went. */
export interface FindReport {
  readonly asked: number;
  readonly hops: number;
}

/** A way to place records. */
export interface RecordStrategy {
  readonly kind: "full-view" | "kademlia";
  /** The nodes that should hold a key, this one included when it is among them. */
  holders(key: string, count: number): Promise<readonly NodeId[]>;
  /** Offer what others hold under a key to `take` until it says enough. */
  find(key: string, take: TakeValue): Promise<FindReport>;
  /** Nodes that could be asked. */
  known(): number;
  /** Changes when `holders` may give others than before. */
  version(): number;
}

/** What the full view works with. */
export interface FullViewOptions {
  readonly self: NodeId;
  /** Members thought alive that store records for others, this node included when it does. */
  readonly serving: () => readonly NodeId[];
  readonly version: () => number;
  /** Ask one node what it holds. */
  readonly ask: (node: NodeId, key: string) => Promise<Uint8Array | undefined>;
}

/** Every node knows all members and ranks them by rendezvous hashing: one hop. */
export function fullView({ self, serving, version, ask }: FullViewOptions): RecordStrategy {
  return {
    kind: "full-view",
    version,
    known: () => serving().filter((node) => node !== self).length,
    holders: async (key, count) => rendezvous(key, serving(), count),
    find: async (key, take) => {
      const ranked = rendezvous(key, serving(), READ_MAX).filter((node) => node !== self);
      let asked = 0;
      for (let at = 0; at < ranked.length; at += READ_AT_ONCE) {
        const now = ranked.slice(at, at + READ_AT_ONCE);
        asked += now.length;
        const values = await Promise.all(
          now.map((node) =>
            ask(node, key).then(
              (value) => ({ node, value }),
              () => ({ node, value: undefined }),
            ),
          ),
        );
        let enough = false;
        for (const { node, value } of values) if (value !== undefined) enough = take(value, node) || enough;
        // One that knows it is enough once its turn is over: the copies are the same, or the newer one was among the two.
        if (enough || values.some(({ value }) => value !== undefined)) break;
      }
      return { asked, hops: asked > 0 ? 1 : 0 };
    },
  };
}

/** Records lie with the nodes nearest to their key that answer. */
export function kademliaView(kademlia: Kademlia, self: NodeId, serves: boolean): RecordStrategy {
  return {
    kind: "kademlia",
    version: () => 0,
    known: () => kademlia.table.size,
    holders: async (key, count) => {
      const target = wordsOf(key);
      const { closest } = await kademlia.lookup(key);
      const near = closest.map(({ node, words }) => ({ node, words }));
      if (serves) near.push({ node: self, words: wordsOf(self) });
      near.sort((a, b) => compareDistance(target, a.words, b.words));
      return near.slice(0, count).map(({ node }) => node);
    },
    find: async (key, take) => {
      const { asked, hops } = await kademlia.lookup(key, take);
      return { asked, hops };
    },
  };
}
