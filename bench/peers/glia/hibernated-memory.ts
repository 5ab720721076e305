/** Prints how many resident bytes of this process each of so many hibernated guests takes: `hibernated-memory.ts GUESTS`. */
import { echo, hibernate } from "./many-guests.ts";

/** Guests that come before, so that what the first ones need is there. */
const FIRST = 500;
const guests = Number(process.argv[2]);
const collect = (globalThis as unknown as { gc(): void }).gc;

const program = await echo();
const first = hibernate(program, FIRST);
collect();
const before = process.memoryUsage.rss();
const { scheduler } = hibernate(program, guests);
collect();
const bytes = (process.memoryUsage.rss() - before) / guests;
// Both are held until here.
if (first.scheduler.counts.guests + scheduler.counts.guests !== FIRST + guests)
  throw new TypeError("a guest is gone");
console.log(bytes);
