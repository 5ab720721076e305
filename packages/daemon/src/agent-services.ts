/**
 * What a node offers its agents of the world outside, by the names that their manifests ask for: `service/http`, `service/files`.
 *
 * AS1. Nothing is offered that the node's own options do not name.
 */

import { RIGHTS } from "@glia-os/abi/syscalls";
import type { CellService } from "@glia-os/cells";
import { createFileTree, createHttpClient } from "@glia-os/host";
import type { Kernel } from "@glia-os/kernel";
import { filesService, httpService } from "@glia-os/kernel/services";

/** Services of a node, as plain data. */
export interface NodeServices {
  /** HTTP to these origins, `https://*.example.com` and `*` included; private addresses only when allowed. */
  readonly http?: { readonly origins: readonly string[]; readonly privateAddresses?: boolean };
  /** Files below a folder, which must exist; read-only unless `writable`. */
  readonly files?: { readonly folder: string; readonly writable?: boolean };
}

/** Refuse what cannot be offered, before anything is started. @throws {BadOptionError} {FileFailedError} */
export function checkServices({ http, files }: NodeServices): void {
  if (http !== undefined) createHttpClient(http);
  if (files !== undefined) createFileTree(files.folder);
}

/** The services with their handles. @throws {BadOptionError} {FileFailedError} for what cannot be offered */
export function agentServices(kernel: Kernel, { http, files }: NodeServices): readonly CellService[] {
  const services: CellService[] = [];
  if (http !== undefined) {
    const handle = kernel.service(httpService(createHttpClient(http)));
    services.push({ name: "http", handle, rights: RIGHTS.exec });
  }
  if (files !== undefined) {
    const handle = kernel.service(filesService(createFileTree(files.folder)));
    const rights = files.writable === true ? RIGHTS.read | RIGHTS.write : RIGHTS.read;
    services.push({ name: "files", handle, rights });
  }
  return services;
}
