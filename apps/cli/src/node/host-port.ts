/** `HOST:PORT` as people write it. */
import type { HostPort } from "@glia-os/abi/ports";
import { UsageError } from "../errors.ts";

/** The address in `text`: `127.0.0.1:7400`, `[::1]:0`, `host.example:7400`. Port 0 asks the system for a free one. */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535)
    throw new UsageError(
      `"${text.slice(0, 80)}" is not an address`,
      "Write HOST:PORT, for example 127.0.0.1:7400; the port is 0 to 65535, and an IPv6 host stands in [ ].",
    );
  return { host, port };
}

/** The text of an address; an IPv6 host in brackets. */
export function formatHostPort(address: HostPort | undefined): string {
  if (address === undefined) return "-";
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
