/** Where a store on etcd is, as callers say it. */
import { MalformedError } from "@glia-os/abi/errors";
import { checkWhole } from "../limit-range.ts";
import { DEFAULT_QUEUE_LIMIT, QUEUE_LIMIT_MOST } from "../worker-link.ts";

/** Options of every store on etcd. */
export interface EtcdPlace {
  /** The client urls of the members of one cluster, 1 to 16, such as `http://10.0.0.1:2379`. */
  readonly endpoints: readonly string[];
  /** What every key starts with, without the `/` at its end: 1 to 128 letters, digits, `.`, `_`, `-` and `/`. Default `glia`. */
  readonly prefix?: string;
  /** The longest a group of requests may take, 100 to 60,000 ms. Default 5,000. */
  readonly timeoutMs?: number;
  /** Requests that may wait at once, 1 to 65,536. Default 4,096. */
  readonly queueLimit?: number;
  /** For `https` endpoints: certificates and key as PEM, where the system's own do not do. */
  readonly tls?: EtcdTls;
}

/** What secures the connection to a server, as PEM. */
export interface EtcdTls {
  /** Who signed the server's certificate. */
  readonly ca?: string;
  /** This client's certificate. */
  readonly cert?: string;
  /** The key of `cert`. */
  readonly key?: string;
}

/** The options, checked. */
export interface EtcdSettings {
  readonly endpoints: readonly URL[];
  /** Ends with `/`. */
  readonly prefix: string;
  /** Names the store in messages. */
  readonly place: string;
  readonly timeoutMs: number;
  readonly queueLimit: number;
  readonly tls: EtcdTls;
}

const ENDPOINTS_MOST = 16;
const PREFIX = /^[A-Za-z0-9._/-]{1,128}$/;

/** Check the options. @throws `abi.malformed`. */
export function etcdSettings(given: EtcdPlace): EtcdSettings {
  const { endpoints, prefix = "glia", timeoutMs = 5_000, queueLimit = DEFAULT_QUEUE_LIMIT, tls = {} } = given;
  if (!Array.isArray(endpoints) || endpoints.length < 1 || endpoints.length > ENDPOINTS_MOST)
    throw new MalformedError("endpoints", `it is no list of 1 to ${ENDPOINTS_MOST} urls`);
  if (typeof prefix !== "string" || !PREFIX.test(prefix) || prefix.endsWith("/"))
    throw new MalformedError(
      "prefix",
      "it is not 1 to 128 letters, digits, . _ - and / with no / at its end",
    );
  checkWhole("timeoutMs", timeoutMs, 100, 60_000);
  checkWhole("queueLimit", queueLimit, 1, QUEUE_LIMIT_MOST);
  const urls = endpoints.map(endpointOf);
  const place = `etcd at ${urls.map(({ host }) => host).join(", ")} prefix ${prefix}`;
  return { endpoints: urls, prefix: `${prefix}/`, place, timeoutMs, queueLimit, tls };
}

function endpointOf(given: unknown): URL {
  const url = typeof given === "string" && URL.canParse(given) ? new URL(given) : undefined;
  const bare = url?.pathname === "/" && url.search === "" && url.username === "" && url.password === "";
  if (url === undefined || !bare || !["http:", "https:"].includes(url.protocol))
    throw new MalformedError("endpoints", "one is not http://host:port or https://host:port");
  return url;
}
