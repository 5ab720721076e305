/** What a node offers its agents, as the options of `mesh start` and `mesh join` say. */
import type { NodeServices } from "@glia-os/daemon";

/** The options. */
export interface OfferOptions {
  readonly http?: readonly string[];
  readonly files?: string;
}

/** The services. Files can be read and written. */
export function offeredServices({ http, files }: OfferOptions): NodeServices {
  return {
    ...(http === undefined ? {} : { http: { origins: http } }),
    ...(files === undefined ? {} : { files: { folder: files, writable: true } }),
  };
}
