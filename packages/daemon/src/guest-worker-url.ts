/** Where the program of a guest's own thread is: beside this file, in source and in what is published. */
export const GUEST_WORKER: URL = new URL(
  import.meta.url.endsWith(".ts") ? "./guest-worker.ts" : "./guest-worker.js",
  import.meta.url,
);
