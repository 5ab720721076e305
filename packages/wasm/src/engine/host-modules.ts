/** What an engine offers its guests besides `glia.v1`: names and quotas are checked, and what is built in is added. */
import type { HostModule } from "@glia-os/abi/ports";
import { HOST_MODULE, SYS_MODULE } from "@glia-os/abi/wire";
import { SYS_HOST_MODULE } from "../capabilities/sys-module.ts";
import { BadHostModuleError } from "../errors.ts";
import { MOST_HANDLES } from "../host-module/handle-table.ts";

const NAME = /^[\x21-\x2e\x30-\x7e]{1,64}$/;

/** What guests of an engine may be granted, what is built in included. @throws BadHostModuleError */
export function checkHostModules(modules: readonly HostModule[]): readonly HostModule[] {
  const names = new Set<string>([HOST_MODULE, SYS_MODULE]);
  for (const { name, version, handles } of modules) {
    if (!NAME.test(name)) throw new BadHostModuleError(JSON.stringify(name), "has no usable name");
    if (names.has(name)) throw new BadHostModuleError(name, "is offered twice, or is built in");
    names.add(name);
    if (!Number.isSafeInteger(version) || version < 1)
      throw new BadHostModuleError(name, `has the version ${version}`);
    const quota = handles?.quota ?? 1;
    if (!Number.isSafeInteger(quota) || quota < 1 || quota > MOST_HANDLES)
      throw new BadHostModuleError(
        name,
        `has a quota of ${quota} handles; the range is 1 to ${MOST_HANDLES}`,
      );
  }
  return [...modules, SYS_HOST_MODULE as HostModule];
}
