/**
 * A host of many guests: making them, giving them messages, putting them away, and how long answers take beside guests that mean
 * harm. The guest is AssemblyScript's `echo` of guest-as, which answers with what it gets, profile `cooperative`.
 */
import { extismMessage, extismSpawn } from "../peers/extism.ts";
import {
  comparing,
  following,
  hibernatedMemory,
  hibernatedState,
  latencyBesideHostile,
  messaging,
  messagingPool,
  puttingAway,
  spawning,
  spawningAlone,
} from "../peers/glia/many-guests.ts";
import { isolateMessage, isolateSpawn } from "../peers/isolated-vm.ts";
import type { Suite } from "../src/suite.ts";

const BYTES = 64;
const SPARE = 32;
const GUESTS = 10_000;
const HOSTILE_EACH = 3;
const ASKS = 100;

export const suite: Suite = {
  title: "WebAssembly guests: many in one process",
  rows: [
    {
      id: "spawn",
      what: "a guest of an admitted module to its first wait, in the memory that an earlier guest left",
      unit: "us",
      better: "lower",
      excludes:
        "admission and compiling; ending the guest (see spawn-and-end); a process whose guests do not end",
      target: { max: 25 },
      glia: spawningAlone,
      peers: {},
    },
    {
      id: "spawn-and-end",
      what: "a guest of an admitted module to its first wait, in the memory that an earlier guest left, and its end; peers: one call and the end",
      unit: "us",
      better: "lower",
      excludes: "admission and compiling",
      target: { max: 50 },
      glia: () => spawning(SPARE),
      peers: { extism: extismSpawn, "isolated-vm": isolateSpawn },
    },
    {
      id: "spawn-new-memory",
      what: "as spawn-and-end, with a new memory each time",
      unit: "us",
      better: "lower",
      excludes: "admission and compiling; garbage collection after the run",
      glia: () => spawning(0),
      peers: { extism: extismSpawn },
    },
    {
      id: "message",
      what: "64 bytes to a guest and its reply, in the guest's thread",
      unit: "us",
      better: "lower",
      excludes: "getting the message from another thread (see message-pool)",
      target: { max: 1 },
      glia: () => messaging(BYTES),
      peers: { extism: () => extismMessage(BYTES), "isolated-vm": () => isolateMessage(BYTES) },
    },
    {
      id: "message-pool",
      what: "64 bytes to a guest in a thread of a pool and its reply, one after the other",
      unit: "us",
      better: "lower",
      excludes: "nothing",
      glia: () => messagingPool(BYTES, 1),
      peers: {},
    },
    {
      id: "message-pool-100",
      what: "64 bytes to a guest in a thread of a pool and its reply, 100 under way at a time",
      unit: "us",
      better: "lower",
      excludes: "waiting: the time of 100 divided by 100",
      glia: () => messagingPool(BYTES, 100),
      peers: {},
    },
    {
      id: "hibernated-bytes",
      what: `what the process holds per hibernated guest that has had a message, JavaScript heap and buffers, ${GUESTS} of them`,
      unit: "bytes",
      better: "lower",
      excludes:
        "the state that all guests of the program share; what the allocator needs besides (resident memory grew by 1.2 to 1.9 KiB per guest where it was looked at)",
      target: { max: 2048 },
      glia: () => hibernatedMemory(GUESTS),
      peers: {},
    },
    {
      id: "hibernated-state",
      what: "bytes of the state of such a guest",
      unit: "bytes",
      better: "lower",
      excludes: "what the scheduler knows of the guest",
      glia: () => hibernatedState(GUESTS / 10),
      peers: {},
    },
    {
      id: "hibernate",
      what: "putting a guest away that waits",
      unit: "us",
      better: "lower",
      excludes: "nothing",
      glia: () => puttingAway("away"),
      peers: {},
    },
    {
      id: "wake",
      what: "64 bytes to a guest that hibernates, its waking, and its reply",
      unit: "us",
      better: "lower",
      excludes: "nothing",
      glia: () => puttingAway("wake"),
      peers: {},
    },
    {
      id: "checkpoint-increment",
      what: "a message to a guest of 1 MiB and what it changed as an increment in memory, found by comparing all of it",
      unit: "us",
      better: "lower",
      excludes: "writing the increment anywhere",
      glia: comparing,
      peers: {},
    },
    {
      id: "checkpoint-followed",
      what: "a copy in memory of a guest of 1 MiB is brought up to date after a message, by the pages the guest marked",
      unit: "us",
      better: "lower",
      excludes: "the message itself; what marking costs the guest while it runs",
      target: { max: 1 },
      glia: following,
      peers: {},
    },
    {
      id: "latency-beside-hostile",
      what: `answer to 64 bytes from another thread, 99th percentile of ${ASKS}; its thread runs ${5 * HOSTILE_EACH} guests that never wait (loop, 16 MiB fills, host calls, 1 MiB of random numbers, memory bomb)`,
      unit: "ms",
      better: "lower",
      excludes: "machines with fewer processors than threads that work",
      target: { max: 50 },
      glia: () => latencyBesideHostile(HOSTILE_EACH, ASKS),
      peers: {},
    },
  ],
};
