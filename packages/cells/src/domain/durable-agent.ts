/**
 * An agent of `@glia-os/cells/agent` as a durable program: the interpreter runs inside the domain, on the domain's time and randomness.
 *
 * DA1. A message is an envelope (docs/spec/agent-message.md) in the payload of a link message. An ask of the link has one reply: the envelope of the
 *      answer, or the word that it comes later as a message.
 * DA2. The agent begins anew from what it has when it rests: no handler waits, no message lies there, no ask is under way. Its timers, topics
 *      and children are part of what it has.
 * DA3. With the grant `service/agents` it talks to others as agents do everywhere, by acts that are recorded before they leave
 *      (docs/spec/domain-cell.md, "Talking"). Without, it reaches nobody but its askers.
 * DA4. An answer that is longer than a reply may be is an error to its asker, and the agent goes on.
 * DA5. What cannot be read is refused by itself and logged; the agent hears what comes behind it.
 */
import type { Handle } from "@glia-os/kernel";
import { type AnyAgent, kindKey } from "../agent/kind.ts";
import { agentCode } from "./agent-code.ts";
import type { CellMessage } from "./cell-message.ts";
import { CELL_SERVICE } from "./cell-service.ts";
import type { AgentProgram } from "./program-code.ts";
import { type Beginning, RunningAgent } from "./running-agent.ts";

/**
 * The program of a definition. The agent's state has to be plain data. `others`: the definitions of its bundle, which it may become by an upgrade and
 * its children may be.
 */
export function durableAgent(own: AnyAgent, others: readonly AnyAgent[] = []): AgentProgram {
  const definitions = new Map([own, ...others].map((each) => [kindKey(each), each]));
  return {
    name: own.name,
    uses: [CELL_SERVICE],
    agentCode: agentCode([own, ...others]),
    run: (input) =>
      function* (sys, inbox, cell) {
        const running = new RunningAgent({ sys, own, definitions, cell: cell as Handle }, input as Beginning);
        return yield* running.run(inbox as Handle<CellMessage>);
      },
  };
}
