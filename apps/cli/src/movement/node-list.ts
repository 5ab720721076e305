/** `glia node list` and `glia node info`: the members and what they say of themselves. */
import type { ConditionedNode } from "@glia-os/daemon";
import { SHORT_ID } from "../commands/mesh-status.ts";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { formatMs } from "../terminal/amount.ts";
import { formatTable } from "../terminal/table.ts";
import { NodeUnknownError } from "./errors.ts";

/** Run `list`. */
export async function nodeList(choice: NodeChoice, context: Context): Promise<ExitCode> {
  const nodes = await conditionsOf(choice, context);
  context.terminal.record({ ok: true, nodes });
  const head = ["name", "role", "state", "node", "agents", "takes", "processor", "memory", "round trip"];
  const align = ["left", "left", "left", "left", "right", "left", "right", "right", "right"] as const;
  for (const line of formatTable(head, nodes.map(rowOf), align)) context.terminal.line(line);
  return EXIT.ok;
}

/** Run `info`. */
export async function nodeInfo(
  text: string | undefined,
  choice: NodeChoice,
  context: Context,
): Promise<ExitCode> {
  const nodes = await conditionsOf(choice, context);
  const node = nodes.find((one) => (text === undefined ? one.self : isNamed(one, text)));
  if (node === undefined) throw new NodeUnknownError(text ?? "that was asked");
  const { terminal } = context;
  terminal.record({ ok: true, ...node });
  for (const [what, value] of factsOf(node)) terminal.line(`${what.padEnd(12)} ${value}`);
  return EXIT.ok;
}

function conditionsOf(choice: NodeChoice, context: Context): Promise<readonly ConditionedNode[]> {
  return unlessInterrupted(
    context,
    withNode(choice, (node) => node.conditions()),
  );
}

function isNamed({ name, node }: ConditionedNode, text: string): boolean {
  return name === text || node === text || (text.length >= 6 && node.startsWith(text));
}

const share = (value: number | undefined): string =>
  value === undefined ? "-" : `${Math.round(value * 100)} %`;

function takesText({ condition }: ConditionedNode): string {
  if (condition === undefined) return "-";
  if (condition.takes) return "yes";
  return condition.drain === "open" ? condition.standing.join(", ") : condition.drain;
}

function rowOf(one: ConditionedNode): string[] {
  const { name, role, state, node, self, condition, rttMs } = one;
  return [
    name,
    role,
    state,
    node.slice(0, SHORT_ID),
    condition === undefined ? "-" : String(condition.hosting),
    takesText(one),
    share(condition?.readings.cpuLoad),
    share(condition?.readings.memoryLoad),
    self ? "this node" : rttMs === undefined ? "silent" : formatMs(rttMs),
  ];
}

function factsOf(one: ConditionedNode): readonly (readonly [string, string])[] {
  const { name, role, state, node, anchor, condition } = one;
  const facts: [string, string][] = [
    ["name", name],
    ["node", node],
    ["role", anchor ? `${role}, anchor` : role],
    ["state", state],
  ];
  if (condition === undefined) return [...facts, ["condition", "it does not answer"]];
  const { hosting, drain, readings, standing, policies, moves } = condition;
  const { batteryPercent, charging, temperatureCelsius, cpuLoad, memoryLoad } = readings;
  facts.push(
    ["agents", String(hosting)],
    ["drain", drain],
    ["takes", takesText(one)],
    ["processor", share(cpuLoad)],
    ["memory", share(memoryLoad)],
    [
      "battery",
      batteryPercent === undefined ? "-" : `${batteryPercent} %${charging === true ? ", charging" : ""}`,
    ],
    ["temperature", temperatureCelsius === undefined ? "-" : `${temperatureCelsius} C`],
    ["triggers", standing.join(", ") || "none"],
    ["policies", policies.join(", ") || "none"],
  );
  for (const { policy, why, name: agent, to } of moves)
    facts.push(["moved", `${agent} to ${to?.slice(0, SHORT_ID) ?? "nowhere"} by ${policy} (${why})`]);
  return facts;
}
