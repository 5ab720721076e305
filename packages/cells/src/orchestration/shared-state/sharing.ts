/**
 * How agents keep a shared state the same: changes are published to a topic as they are made, and now and then everybody says what it knows.
 *
 * SG1. A change that a topic lost is heard again: within two periods of any two agents that hear each other, each has what the other had.
 * SG2. What comes is parsed before it is used; what is no change is counted and dropped, and nothing else happens.
 */
import type { AgentContext, MessageHandler } from "../../agent/index.ts";
import { checkText, checkWhole } from "../check-option.ts";
import { type SharedPlain, type SharedState, sharedState } from "./shared-state.ts";

/** How often an agent says what it knows, in milliseconds, unless it says otherwise. */
export const KNOWN_MS = 1000;

/** How a kind of agent shares. */
export interface SharingOptions<State> {
  /** Where in the state the plain form is: `noSharedState()` at first. */
  memory(state: State): SharedPlain;
  /** The topic: the same for all that share. */
  readonly topic: string;
  /** How often to say what is known: 10 to 3,600,000 ms, default 1000. */
  readonly knownMs?: number;
  /** Called after changes of others came in. */
  changed?(ctx: AgentContext<State>, shared: SharedState): void;
}

/** What goes over the topic and between agents. */
export interface SharingMessage {
  readonly changes?: Uint8Array;
  readonly known?: Uint8Array;
}

/** What `sharing` makes. */
export interface Sharing<State> {
  /** Handlers `shared.heard` and `shared.tick`, to spread into `on`. */
  readonly handlers: {
    readonly "shared.heard": MessageHandler<State, SharingMessage, void, unknown>;
    readonly "shared.tick": MessageHandler<State, unknown, void, unknown>;
  };
  /** Call it in the hook `start`. */
  start(ctx: AgentContext<State>): void;
  /** The state, to read. */
  read(ctx: AgentContext<State>): SharedState;
  /** Change the state, and tell the others. */
  change(ctx: AgentContext<State>, change: (shared: SharedState) => void): void;
}

/** Share a state with all agents of a topic. @throws {BadOptionError} */
export function sharing<State>(options: SharingOptions<State>): Sharing<State> {
  const topic = checkText("topic", options.topic, 64);
  const knownMs = checkWhole("knownMs", options.knownMs ?? KNOWN_MS, 10, 3_600_000);
  const read = (ctx: AgentContext<State>): SharedState =>
    sharedState(options.memory(ctx.state), () => ctx.random());
  return {
    handlers: {
      "shared.heard": {
        handle(ctx, message) {
          if (ctx.from?.id === ctx.self.id) return;
          try {
            hear(ctx, read(ctx), message, options);
          } catch (error) {
            // One agent's rubbish must not end the others (SG2).
            ctx.log("warn", "what came over the topic of a shared state is no change", {
              topic,
              error: error instanceof Error ? error.message : String(error),
            });
          }
        },
      },
      "shared.tick": {
        handle(ctx) {
          ctx.publish(topic, { known: read(ctx).known() } satisfies SharingMessage);
        },
      },
    },
    start(ctx) {
      ctx.subscribe(topic, "shared.heard");
      ctx.every(knownMs, "shared.tick");
      ctx.publish(topic, { known: read(ctx).known() } satisfies SharingMessage);
    },
    read,
    change(ctx, change) {
      const shared = read(ctx);
      const made: Uint8Array[] = [];
      const end = shared.onOwnChange((changes) => made.push(changes));
      try {
        shared.together(() => change(shared));
      } finally {
        end();
      }
      for (const changes of made) ctx.publish(topic, { changes } satisfies SharingMessage);
    },
  };
}

/** Take what came, and answer one who knows less. */
function hear<State>(
  ctx: AgentContext<State>,
  shared: SharedState,
  { changes, known }: SharingMessage,
  { changed }: SharingOptions<State>,
): void {
  if (changes !== undefined) {
    shared.apply(changes);
    changed?.(ctx, shared);
  }
  if (known === undefined || ctx.from === undefined) return;
  const missing = shared.changesFor(known);
  if (missing !== undefined)
    ctx.tell(ctx.from, "shared.heard", { changes: missing } satisfies SharingMessage);
}
