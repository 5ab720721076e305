/**
 * What observing costs: each row is a workload on an observed kernel, beside the same on a kernel that nobody observes (`plain`, with
 * authorization, counting, journal and trace ring on as always). A ratio of 0.5 means that the workload takes twice the time.
 */
import { type KERNELS, on, type WORKLOADS } from "../peers/glia/observed.ts";
import type { RowDefinition, Suite } from "../src/suite.ts";

/** The seed's own bound for telemetry, per state change of a task. */
const SEED_NS = 5000;

const WHAT: Readonly<Record<keyof typeof WORKLOADS, string>> = {
  spawn: "make a task that ends at once, 1000 at a time",
  pingPong: "a round trip between two tasks: two messages, two switches",
  pile: "a message put into a mailbox and taken out by the same task, 1000 at a time",
};

/** What tells a row from the others. */
interface Row {
  readonly id: string;
  readonly workload: keyof typeof WORKLOADS;
  readonly kind: keyof typeof KERNELS;
  readonly how: string;
  readonly max?: number;
}

function row({ id, workload, kind, how, max }: Row): RowDefinition {
  return {
    id,
    what: `${WHAT[workload]}; ${how}`,
    unit: "ns",
    better: "lower",
    excludes: "writing the figures as text, and sending spans anywhere",
    ...(max !== undefined && { target: { max } }),
    glia: on(kind, workload),
    peers: { plain: on("plain", workload) },
  };
}

export const suite: Suite = {
  title: "what observing a kernel costs",
  rows: [
    row({ id: "spawn-metered", workload: "spawn", kind: "metered", how: "with a meter for counters" }),
    row({
      id: "spawn-heard",
      workload: "spawn",
      kind: "heard",
      how: "with the listeners of runKernel and no subscriber",
    }),
    row({
      id: "spawn-measured",
      workload: "spawn",
      kind: "measured",
      how: "with histograms and gauges",
      max: SEED_NS,
    }),
    row({
      id: "spawn-spans",
      workload: "spawn",
      kind: "spans",
      how: "with a span per task, recorded in memory",
    }),
    row({
      id: "round-trip-metered",
      workload: "pingPong",
      kind: "metered",
      how: "with a meter for counters",
    }),
    row({
      id: "round-trip-measured",
      workload: "pingPong",
      kind: "measured",
      how: "with histograms and gauges",
      max: SEED_NS,
    }),
    row({
      id: "round-trip-every-turn",
      workload: "pingPong",
      kind: "everyTurn",
      how: "with a reading of the clock per turn",
      max: SEED_NS,
    }),
    row({
      id: "round-trip-spans",
      workload: "pingPong",
      kind: "spans",
      how: "with a span per task, of which there are two",
    }),
    row({
      id: "round-trip-syscall-spans",
      workload: "pingPong",
      kind: "syscallSpans",
      how: "with a span per syscall, of which there are four",
    }),
    row({ id: "message-metered", workload: "pile", kind: "metered", how: "with a meter for counters" }),
    row({
      id: "message-measured",
      workload: "pile",
      kind: "measured",
      how: "with the time each message waited",
    }),
  ],
};
