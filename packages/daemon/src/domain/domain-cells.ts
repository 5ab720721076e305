/** Composes the durable cells of a node, on the agents' thread. */
import { join } from "node:path";
import type { Clock, Logger, Timers } from "@glia-os/abi/ports";
import type { CellGatePort } from "@glia-os/cells";
import { type CellDesks, DomainRunner, type DomainService } from "@glia-os/cells/domain";
import { createSystemDigests, createSystemRandom } from "@glia-os/hal";
import { createFileTree, createHttpClient } from "@glia-os/host";
import { filesService, httpService } from "@glia-os/kernel/services";
import type { NodeServices } from "../agent-services.ts";
import { CellFiles } from "./cell-files.ts";
import { lateJournal } from "./late-journal.ts";
import { ProgramFiles } from "./program-files.ts";
import type { ProgramSettings } from "./program-settings.ts";

/** What they are made of. */
export interface DomainCellsParts {
  readonly programs: ProgramSettings;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly gate: CellGatePort;
  /** Where what cells send leaves. */
  readonly desks: CellDesks;
  readonly services: NodeServices;
}

/** The runner of durable cells. */
export function openDomainCells(parts: DomainCellsParts): DomainRunner {
  const { programs, dataDir, clock, timers, logger, gate, desks, services } = parts;
  const folder = join(dataDir, "journal");
  return new DomainRunner({
    journal: lateJournal(async () => (await import("@glia-os/store/journal")).openFileJournal({ folder })),
    store: new CellFiles(join(dataDir, "cells")),
    loader: new ProgramFiles(programs),
    digests: createSystemDigests(),
    random: createSystemRandom(),
    clock,
    timers,
    logger,
    gate,
    desks,
    services: domainServices(services),
  });
}

/** What a node offers of the world outside, as durable programs use it. Files only where they may be written: a domain has every right on what it uses. */
function domainServices({ http, files }: NodeServices): readonly DomainService[] {
  const offered: DomainService[] = [];
  if (http !== undefined) offered.push({ name: "http", service: httpService(createHttpClient(http)) });
  if (files?.writable === true)
    offered.push({ name: "files", service: filesService(createFileTree(files.folder)) });
  return offered;
}
