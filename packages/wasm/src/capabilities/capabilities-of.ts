/** What a guest holds, read from its snapshot: for whoever plans where it can go. */
import type { GuestCapability, InstanceImage } from "@glia-os/abi/ports";
import { SYS_MODULE } from "@glia-os/abi/wire";
import { decodeHostState } from "../host-module/host-section.ts";
import { ROWS } from "./capability-row.ts";

/**
 * The capabilities in an image, those of the kind `immovable` included; none when its guest does not import `glia.sys.v1`.
 * @throws SnapshotMismatchError when the section `host` is malformed
 */
export function capabilitiesOf({ sections }: Pick<InstanceImage, "sections">): readonly GuestCapability[] {
  const host = Object.hasOwn(sections, "host") ? sections["host"] : undefined;
  if (host === undefined) return [];
  const saved = decodeHostState(host).modules.find(({ name }) => name === SYS_MODULE);
  return (saved?.slots ?? []).flatMap(([, record]) => (record === null ? [] : [ROWS.decode(record)]));
}
