/** The mesh options of `mesh start` and `mesh join`. */
import type { MeshSettings } from "@glia-os/daemon";

/** As typed; commander has checked the choices. */
export interface MeshOptions {
  readonly profile?: NonNullable<MeshSettings["profile"]>;
  readonly transport?: NonNullable<MeshSettings["transport"]>;
  readonly mdns?: boolean;
  readonly minority?: NonNullable<MeshSettings["minorityPolicy"]>;
}

/** The settings they stand for. */
export function meshSettings({ profile, transport, mdns, minority }: MeshOptions): MeshSettings {
  return {
    ...(profile === undefined ? {} : { profile }),
    ...(transport === undefined ? {} : { transport }),
    ...(mdns === undefined ? {} : { mdns }),
    ...(minority === undefined ? {} : { minorityPolicy: minority }),
  };
}
