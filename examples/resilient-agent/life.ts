/**
 * One life of the agent's process: `node life.ts FOLDER [N]`. It goes on with what the journal in the folder says, or begins. At the N-th moment,
 * before or after something is written, it kills itself with SIGKILL. It prints `end RESULT MOMENTS`.
 */
import { join } from "node:path";
import { Domains } from "@glia-os/durable";
import { createSystemClock, createSystemDigests, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import { openFileJournal } from "@glia-os/store/journal";
import { booking, type Trip } from "./booking.ts";
import { type Moment, worldIn } from "./world.ts";

const [folder, last = "0"] = process.argv.slice(2);
if (folder === undefined || !/^\d+$/.test(last)) {
  console.error("usage: node life.ts FOLDER [N]");
  process.exit(2);
}

let moments = 0;
const moment: Moment = () => {
  moments += 1;
  if (moments === Number(last)) process.kill(process.pid, "SIGKILL");
};

const trip: Trip = { id: "trip-1", legs: ["flight", "hotel"], cents: 48_000 };
const journal = await openFileJournal({ folder: join(folder, "journal") });
/** The same journal, with a moment before and after each record is written. */
const mortal = new Proxy(journal, {
  get(target, name) {
    const found = Reflect.get(target, name) as unknown;
    if (typeof found !== "function") return found;
    if (name !== "append") return found.bind(target) as unknown;
    return async (...args: Parameters<typeof journal.append>) => {
      moment();
      const appended = await target.append(...args);
      moment();
      return appended;
    };
  },
});

const domains = new Domains({
  journal: mortal,
  clock: createSystemClock(),
  timers: createSystemTimers(),
  random: createSystemRandom(),
  digests: createSystemDigests(),
  programs: [booking],
  services: worldIn(folder, moment),
});
await domains.recover();
const domain = domains.get(trip.id) ?? (await domains.start(trip.id, booking, trip));
console.log("end", JSON.stringify(await domain.result), moments);
await domains.close();
await journal.close();
