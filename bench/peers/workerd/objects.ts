/** Workloads of agents on Durable Objects in Cloudflare's local runtime: calls by its RPC, from a worker in the same process of it. */
import type { Contestant, ContestantFactory } from "../../src/suite.ts";

const SCRIPT = `
import { DurableObject } from "cloudflare:workers";
export class Adder extends DurableObject {
  count = 0;
  add(n) { this.count += n; return this.count; }
}
export default {
  async fetch(request, env) {
    const { what, times, run } = await request.json();
    const same = env.ADDER.get(env.ADDER.idFromName("one"));
    for (let i = 0; i < times; i++) {
      const object = what === "create" ? env.ADDER.get(env.ADDER.idFromName(run + "-" + i)) : same;
      await object.add(1);
    }
    return new Response("done");
  },
};
`;

/** The part of Miniflare that is used. */
interface Runtime {
  dispatchFetch(url: string, init: object): Promise<{ text(): Promise<string> }>;
  dispose(): Promise<void>;
}

async function runtime(): Promise<Runtime | undefined> {
  const name = "miniflare";
  const loaded = (await import(name).catch(() => undefined)) as
    | { readonly Miniflare: new (options: object) => Runtime }
    | undefined;
  if (loaded === undefined) return undefined;
  return new loaded.Miniflare({
    modules: true,
    script: SCRIPT,
    compatibilityDate: "2026-07-01",
    durableObjects: { ADDER: "Adder" },
    // In memory: on disk every object opens a file, and ten thousand of them end the runtime.
    unsafeEphemeralDurableObjects: true,
  });
}

async function workload(what: string): Promise<Contestant | undefined> {
  const objects = await runtime();
  if (objects === undefined) return undefined;
  let runs = 0;
  return {
    async run(times) {
      const body = JSON.stringify({ what, times, run: ++runs });
      const answer = await objects.dispatchFetch("http://localhost/", { method: "POST", body });
      const text = await answer.text();
      if (text !== "done") throw new RangeError(`Durable Objects answered ${text.slice(0, 200)}`);
    },
    close: () => objects.dispose(),
  };
}

/** For `serve.ts`. */
export const contestants: Readonly<Record<string, ContestantFactory>> = {
  ask: () => workload("ask"),
  create: () => workload("create"),
};
