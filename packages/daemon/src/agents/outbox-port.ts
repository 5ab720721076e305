/** What the threads of a node tell each other of the messages of agents, over the port of the cells. */
import type { AgentId } from "@glia-os/abi/ids";
import type { AgentAct } from "./act.ts";

/** To the mesh thread: what a cell asked for. */
export interface ActsPort {
  acted(agent: AgentId, acts: readonly AgentAct[]): void;
}

/** To the thread of the cells: what became of it. */
export interface OutboxPort {
  released(agent: AgentId, count: number): void;
  held(agent: AgentId, count: number): void;
}

/** Two services as one: a method is the second's if it has it, else the first's. */
export function oneService(first: object, second: object): object {
  const methodOf = (service: object, name: string | symbol): unknown =>
    (service as Record<string | symbol, unknown>)[name];
  return new Proxy(first, {
    get: (_, name) => {
      const service = methodOf(second, name) === undefined ? first : second;
      const method = methodOf(service, name);
      return typeof method === "function" ? method.bind(service) : undefined;
    },
  });
}
