/**
 * The HTTP face of a node, which can move while the node runs.
 *
 * HF1. It is opened at the new address before the old one closes. Where both cannot be open at once, because they share a port, the old one
 *      closes first. When it cannot be opened, it is at the old address afterwards.
 */
import type { HostPort } from "@glia-os/abi/ports";
import type { HttpServer } from "@glia-os/daemon";

type Server = Pick<HttpServer, "address" | "close">;

/** It is nowhere until {@link move} was called. */
export class HttpFace {
  readonly #open: (at: HostPort) => Promise<Server>;
  #server: Server | undefined;

  /** `open` serves it at an address. */
  constructor(open: (at: HostPort) => Promise<Server>) {
    this.#open = open;
  }

  /** Where it is; undefined while it is closed. */
  get address(): HostPort | undefined {
    return this.#server?.address;
  }

  /** Serve it there from now on, or nowhere (HF1). @throws what opening it throws */
  async move(to: HostPort | undefined): Promise<void> {
    const before = this.#server;
    try {
      this.#server = to && (await this.#open(to));
    } catch (error) {
      if (before === undefined || before.address.port !== to?.port) throw error;
      return this.#swap(before, to);
    }
    await before?.close();
  }

  /** Close it. Idempotent. */
  async close(): Promise<void> {
    await this.#server?.close();
  }

  async #swap(before: Server, to: HostPort): Promise<void> {
    await before.close();
    this.#server = undefined;
    try {
      this.#server = await this.#open(to);
    } catch (error) {
      this.#server = await this.#open(before.address);
      throw error;
    }
  }
}
