/** The part of a node's operations that exchanges the code of agents while they live (docs/upgrades.md). */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { CodeVersion } from "@glia-os/cells";

/** What an agent is to run from now on. */
export interface UpgradeRequest {
  /** The WebAssembly module, at most 15 MiB. */
  readonly module: Uint8Array;
  /** Imports it may use from now on. Default: those that the agent was started with; a wish for a replica is kept in any case. */
  readonly grants?: readonly string[];
  /** Linear memory limit in 64 KiB pages, 1 to 32,768. Default: what the agent has. */
  readonly memoryPages?: number;
  /** How long the agent may take to come to rest between two messages, 1 ms to 5 minutes. Default 10 s. */
  readonly timeoutMs?: number;
}

/** An upgrade that was done. */
export interface UpgradeReport {
  readonly agent: AgentId;
  readonly name: string;
  /** Where it was done. */
  readonly node: NodeId;
  /** What the old code and the new one say they are. */
  readonly from: CodeVersion;
  readonly to: CodeVersion;
  /** SHA-256 of the new program, as hexadecimal. */
  readonly programHash: string;
  /** Bytes of state that went from the old code to the new. */
  readonly stateBytes: number;
  /** How long the agent took no messages, in milliseconds; they waited with their senders. */
  readonly pauseMs: number;
  /** How often it was stopped until it was at rest. */
  readonly stops: number;
}

/** A part of `NodeApi`. */
export interface UpgradeApi {
  /**
   * Exchange the code of a running or suspended agent: id, name, mailbox, links, timers, children and state stay. After every refusal the agent
   * goes on as it was. @throws `cells.not-upgradable`, `cells.upgrade-refused`, `cells.upgrade-busy`, `cells.illegal-transition` while it is on its
   * way, `cells.bad-manifest`, the engine's refusals of the module, `daemon.unknown-agent`, `daemon.agent-failed`
   */
  upgrade(agent: string, request: UpgradeRequest): Promise<UpgradeReport>;
  /** Exchange it for the code before its last upgrade on its node. @throws `cells.no-earlier-code`, and as {@link upgrade} */
  rollback(agent: string, timeoutMs?: number): Promise<UpgradeReport>;
}
