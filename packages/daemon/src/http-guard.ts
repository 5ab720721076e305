/** Who may ask a node over HTTP, and for what: the same rules for every face on the listener (HS1 to HS3 of http-server.ts). */
import { isIP } from "node:net";
import { bearsToken } from "./http-token.ts";

/** A refusal, or another answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What of a request counts. */
export interface HttpAsked {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
}

/** Refuse a request for a host that is not served, or from a page (HS2). */
export function refuseCaller({ host, origin }: HttpAsked, bound: string): HttpAnswer | undefined {
  if (!namesThis(host, bound)) return { status: 421, body: "this host is not served here\n" };
  if (origin !== undefined) return { status: 403, body: "pages of browsers are not served\n" };
  return undefined;
}

/** Refuse a request without the token (HS3). */
export function refuseStranger({ authorization }: HttpAsked, token: string): HttpAnswer | undefined {
  if (bearsToken(authorization, token)) return undefined;
  return {
    status: 401,
    body: "this needs the token of the file http-token in the node's data folder\n",
    headers: { "www-authenticate": 'Bearer realm="glia"' },
  };
}

/** (HS2) */
function namesThis(header: string | undefined, bound: string): boolean {
  const name = /^(\[[0-9a-fA-F:.]+\]|[^:\s]+)(?::\d{1,5})?$/.exec(header ?? "")?.[1]?.toLowerCase();
  if (name === undefined) return false;
  return name === "localhost" || name === bound.toLowerCase() || isIP(name.replace(/^\[|\]$/g, "")) !== 0;
}
