/**
 * The origins an HTTP client may reach.
 *
 * OR1. An entry is a whole origin (`https://api.example.com`, with its port when that is not the default), an origin with `*.` before its
 *      name (every name below, not the name itself), or `*` alone (every origin of http and https).
 */
import { BadOptionError } from "../errors.ts";

const ORIGINS_MOST = 1024;

/** A list of origins. */
export class Origins {
  readonly #any: boolean;
  readonly #whole = new Set<string>();
  readonly #below: { readonly scheme: string; readonly tail: string; readonly port: string }[] = [];

  constructor(entries: readonly string[]) {
    if (!Array.isArray(entries) || entries.length === 0 || entries.length > ORIGINS_MOST)
      throw new BadOptionError("origins", String(entries), `a list of 1 to ${ORIGINS_MOST} origins`);
    this.#any = entries.includes("*");
    for (const entry of entries) if (entry !== "*") this.#add(entry);
  }

  /** Whether a request may go to this address. */
  allow(url: URL): boolean {
    if (url.protocol !== "http:" && url.protocol !== "https:") return false;
    if (this.#any || this.#whole.has(url.origin)) return true;
    return this.#below.some(
      ({ scheme, tail, port }) =>
        url.protocol === scheme &&
        url.port === port &&
        url.hostname.length > tail.length &&
        url.hostname.endsWith(tail),
    );
  }

  #add(entry: unknown): void {
    const text = typeof entry === "string" ? entry : "";
    const wild = text.includes("://*.");
    const plain = wild ? text.replace("://*.", "://") : text;
    const url = URL.canParse(plain) ? new URL(plain) : undefined;
    const web = url?.protocol === "http:" || url?.protocol === "https:";
    if (
      url === undefined ||
      !web ||
      (url.href !== `${url.origin}/` && url.href !== url.origin) ||
      plain.includes("*")
    )
      throw new BadOptionError("an origin", String(entry), "https://NAME, https://*.NAME or *");
    if (wild) this.#below.push({ scheme: url.protocol, tail: `.${url.hostname}`, port: url.port });
    else this.#whole.add(url.origin);
  }
}
