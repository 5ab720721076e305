/** Agents whose code is exchanged, as modules. */
import type { AgentModuleFile } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";

/** A module of one definition: the ledger, in the version and with the fields that `more` says. */
export function ledger(version: number, more = ""): Promise<AgentModuleFile> {
  return moduleOf(definition(version, more));
}

/** The source of such a module, with all it needs. */
export function ledgerSource(version: number, more = ""): string {
  return COMMON + definition(version, more);
}

function definition(version: number, more: string): string {
  return `
    export default agent({
      name: "ledger",
      version: ${version},
      state: () => ({ seen: {}, count: 0 }),
      on: {
        ...common,
        version: { handle: () => ${version} },
      },
      ${more}
    });`;
}

/** What every version does. */
const COMMON = `
  import { agent } from "@glia-os/cells/agent";
  const common = {
    // Per sender the numbers it sent, in the order in which they came.
    add: { handle(ctx, { who, n }) { (ctx.state.seen[who] ??= []).push(n); ctx.state.count++; return n; } },
    pass: { handle(ctx, { to, n }) { (ctx.state.seen.me ??= []).push(n); ctx.tell(to, "add", { who: "speaker", n }); return n; } },
    seen: { handle: (ctx, who) => ctx.state.seen[who] ?? [] },
    state: { handle: (ctx) => ctx.state },
    put: { handle(ctx, state) { ctx.state = state; } },
    // Stays in the middle of a message.
    wait: { *handle(ctx, flag) { while (!(yield* ctx.ask(flag, "poll"))) yield* ctx.sleep(2); return "open"; } },
    poll: { handle(ctx) { ctx.state.count++; return ctx.state.open === true; } },
    later: { handle(ctx, { afterMs, n }) { ctx.after(afterMs, "add", { who: "timer", n }); } },
    hear: { handle(ctx, topic) { ctx.subscribe(topic, "heard"); } },
    heard: { handle(ctx, n) { (ctx.state.seen.topic ??= []).push(n); } },
    say: { handle(ctx, { topic, n }) { ctx.publish(topic, n); } },
    bear: { *handle(ctx, name) { return yield* ctx.spawn(child, { name }); } },
    children: { handle: (ctx) => ctx.children().map((each) => each.name) },
    who: { handle: (ctx) => ctx.self },
  };
  const child = agent({ name: "child", state: () => ({}), on: { ping: { handle: () => "pong" } } });
`;

/** A module of this source, with the handlers above at hand. */
export function moduleOf(source: string): Promise<AgentModuleFile> {
  return buildAgent({ source: COMMON + source, folder: import.meta.dirname });
}
