/** A voter: an agent that answers a question, honestly or in one of the ways in which voters fail. */
import { type AgentContext, type AgentRoutine, agent } from "@glia-os/cells/agent";

/**
 * `honest` says what is true. `wrong` says the contrary, always. `silent` answers long after everybody has gone. `crashing` fails.
 * `two-faced` says something else every time it is asked, and so to everybody who asks.
 */
export type Behaviour = "honest" | "wrong" | "silent" | "crashing" | "two-faced";

/** What a voter is made with. */
export interface VoterInput {
  readonly behaviour: Behaviour;
  /** What is true, as far as the voter can see. */
  readonly truth: boolean;
}

/** After this time even a silent voter answers. */
export const SILENT_MS = 60_000;

/** The kind of agent. */
export const voter = agent({
  name: "voter",
  state: (input: unknown): VoterInput & { asked: number } => ({ ...(input as VoterInput), asked: 0 }),
  on: {
    vote: {
      *handle(ctx: AgentContext<VoterInput & { asked: number }>, _question: string): AgentRoutine<boolean> {
        const { behaviour, truth } = ctx.state;
        ctx.state.asked++;
        if (behaviour === "silent") yield* ctx.sleep(SILENT_MS);
        if (behaviour === "crashing") throw new RangeError("this voter fails on every question");
        if (behaviour === "wrong") return !truth;
        return behaviour === "two-faced" ? ctx.state.asked % 2 === 0 : truth;
      },
    },
  },
});
