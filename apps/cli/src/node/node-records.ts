/** The lines a node in the foreground prints with `--json`. */
import type { NodeEvent, NodeRole } from "@glia-os/daemon";

/** The line a node prints, with `--json`, when it is ready. */
export interface ReadyRecord {
  readonly event: "ready";
  readonly node: string;
  readonly name: string;
  readonly role: NodeRole;
  readonly cluster: string;
  readonly address: string;
  readonly transport: string;
  readonly pid: number;
  readonly data: string;
  /** Where it is watched over HTTP, and the file with the token. */
  readonly http?: string;
  readonly httpToken?: string;
  readonly joinLine?: string;
}

/** The line a node prints, with `--json`, when it has stopped. `peakRssBytes`: the most memory it had resident. */
export interface StoppedRecord {
  readonly event: "stopped";
  /** Whether it ended because it was told to, not because it failed. */
  readonly ok: boolean;
  readonly why: string;
  readonly peakRssBytes: number;
}

/** The line a node prints, with `--json`, when something happened in its mesh. */
export interface EventRecord {
  readonly event: "node-event";
  readonly detail: NodeEvent;
}
