/** An agent as an object: state, and what to do with each message. */
import { inbox } from "./inbox.ts";
import type { Message } from "./message.ts";
import { onSpawn } from "./spawn.ts";

/** What an agent is made of. */
export interface AgentDefinition<State> {
  /** Makes its state, once, when the module is built. */
  readonly state: () => State;
  /** Runs when the agent starts, before its first message. */
  readonly start?: (state: State) => void | Promise<void>;
  /**
   * Handles one message. What it returns (or resolves to) is the reply, unless it is undefined; see {@link Message.reply}.
   * What it throws ends the agent.
   */
  readonly receive: (message: Message, state: State) => unknown;
}

/** Run an agent: its messages one after the other, in order. Call it once, at the top of the program. */
export function defineAgent<State>(definition: AgentDefinition<State>): void {
  const state = definition.state();
  const { promise: started, resolve: start } = Promise.withResolvers<void>();
  onSpawn(start);
  const run = async (): Promise<void> => {
    await started;
    await definition.start?.(state);
    for await (const message of inbox) {
      const reply = await definition.receive(message, state);
      if (reply !== undefined) message.reply(reply);
    }
  };
  void run();
}
