/**
 * One runner over two: WebAssembly cells and durable cells.
 *
 * RK1. A cell belongs to the runner of its manifest's kind from its start, arrival or recovery on.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { LinkId } from "@glia-os/mesh-core";
import type { AgentManifest, ProgramKind } from "../agent-manifest.ts";
import { ProgramsRefusedError } from "../errors.ts";
import type { KeptCells, KeptMail, StoredCell, UnreadCell } from "../kept-cells.ts";
import type { CellRunnerPort, CellVitals, FrozenMail, MailItem } from "../runner-port.ts";
import type { CellNote } from "./cell-act.ts";
import type { DomainRunner } from "./domain-runner.ts";

/** Both runners of a node; without one for domains, those are refused. */
export class RunnersByKind implements CellRunnerPort, KeptCells {
  readonly #wasm: CellRunnerPort;
  readonly #domains: DomainRunner | undefined;

  constructor(wasm: CellRunnerPort, domains: DomainRunner | undefined) {
    this.#wasm = wasm;
    this.#domains = domains;
  }

  async admit(program: Uint8Array, grants: readonly string[], kind?: ProgramKind): Promise<string> {
    return await this.#of({ kind: kind ?? "wasm" }).admit(program, grants, kind);
  }

  async start(agent: AgentId, manifest: AgentManifest, first?: Uint8Array): Promise<void> {
    await this.#of(manifest).start(agent, manifest, first);
  }

  deliver(agent: AgentId, item: MailItem): void {
    this.#with(agent).deliver(agent, item);
  }

  freeze(agent: AgentId, timeoutMs: number, leaves?: boolean): Promise<FrozenMail> {
    return this.#with(agent).freeze(agent, timeoutMs, leaves);
  }

  readAhead(agent: AgentId, leastBytes: number): Promise<Uint8Array | undefined> {
    return this.#with(agent).readAhead(agent, leastBytes);
  }

  stopAhead(agent: AgentId): Promise<void> {
    return this.#with(agent).stopAhead(agent);
  }

  readImage(agent: AgentId): Promise<Uint8Array | undefined> {
    return this.#with(agent).readImage(agent);
  }

  thaw(agent: AgentId): Promise<void> {
    return this.#with(agent).thaw(agent);
  }

  async expect(agent: AgentId, manifest: AgentManifest): Promise<void> {
    await this.#of(manifest).expect(agent, manifest);
  }

  stage(agent: AgentId, ahead: boolean): Promise<void> {
    return this.#with(agent).stage(agent, ahead);
  }

  writeImage(agent: AgentId, chunk: Uint8Array): Promise<void> {
    return this.#with(agent).writeImage(agent, chunk);
  }

  finishImage(agent: AgentId, mail: FrozenMail): Promise<void> {
    return this.#with(agent).finishImage(agent, mail);
  }

  activate(agent: AgentId): Promise<void> {
    return this.#with(agent).activate(agent);
  }

  drop(agent: AgentId): Promise<void> {
    return this.#with(agent).drop(agent);
  }

  vitals(agent: AgentId): Promise<CellVitals | undefined> {
    return this.#with(agent).vitals(agent);
  }

  accept(agent: AgentId, item: KeptMail): Promise<void> {
    return this.#kept().accept(agent, item);
  }

  links(agent: AgentId): Promise<Uint8Array> {
    return this.#kept().links(agent);
  }

  async recover(agent: AgentId, manifest: AgentManifest): Promise<void> {
    await this.#kept().recover(agent, manifest);
  }

  async stored(unread?: UnreadCell): Promise<readonly StoredCell[]> {
    return (await this.#domains?.stored(unread)) ?? [];
  }

  async forget(agent: AgentId): Promise<void> {
    await this.#domains?.forget(agent);
  }

  /** As `DomainRunner` has them: for durable cells that talk to others. */
  settled(agent: AgentId, link: LinkId, upTo: number): void {
    this.#domains?.settled(agent, link, upTo);
  }

  noted(agent: AgentId, note: CellNote): void {
    this.#domains?.noted(agent, note);
  }

  /** RK1. @throws {ProgramsRefusedError} */
  #of({ kind = "wasm" }: Pick<AgentManifest, "kind">): CellRunnerPort {
    return kind === "wasm" ? this.#wasm : this.#kept();
  }

  #with(agent: AgentId): CellRunnerPort {
    return this.#domains?.has(agent) === true ? this.#domains : this.#wasm;
  }

  #kept(): DomainRunner {
    if (this.#domains === undefined) throw new ProgramsRefusedError();
    return this.#domains;
  }
}
