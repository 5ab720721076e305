/**
 * What the two threads of a post-copy share while pages arrive: the one that has the guest, and the one that has the connection.
 *
 * AS1. A page is written to memory first, then its byte in `absent` is cleared, then `event` is raised and whoever waits is woken: a
 *      thread that finds the byte clear finds the page.
 * AS2. `outcome` is written once: what was lost does not become complete, and the other way round.
 */
import type { MessagePort } from "node:worker_threads";
import type { InstanceImage } from "@glia-os/abi/ports";
import type { LinearMemory } from "../web-assembly.ts";

/** Words of the control block: raised at every arrival; pages that are still missing; see {@link OUTCOME}. */
export const WORD = { event: 0, left: 1, outcome: 2 } as const;
export const CONTROL_BYTES = 12;
export const OUTCOME = { open: 0, complete: 1, lost: 2 } as const;

/** What the thread of the guest tells the other: the flags of its module, once; then pages it waits for. */
export type FromGuest = { readonly flags: LinearMemory } | { readonly page: number };

/** A guest that was handed over and whose pages are on the way; can be posted to another thread, with `port` in the transfer list. */
export interface PostCopyHandover {
  readonly memory: LinearMemory;
  /** A byte for each page of 4 KiB: 1 while it is missing. */
  readonly absent: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly port: MessagePort;
  /** The guest's state, without memory. */
  readonly image: InstanceImage;
}
