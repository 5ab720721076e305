/** The thread of one guest whose pages are on their way. */
import { workerData } from "node:worker_threads";
import { runGuestThread } from "./postcopy/guest-thread.ts";
import type { GuestThreadSetup } from "./postcopy/guest-words.ts";

await runGuestThread(workerData as GuestThreadSetup);
