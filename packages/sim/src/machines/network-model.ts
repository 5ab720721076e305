/** How good a simulated network is, as numbers. */
import { BadOptionError } from "../errors.ts";
import { finite } from "../limits.ts";

/** Rates are from 0 to 1, times in milliseconds of true time. */
export interface NetworkModel {
  /** Least time a packet takes. */
  readonly delayMs: number;
  /** Mean of what is added, drawn from an exponential distribution: packets overtake each other by it. */
  readonly jitterMs: number;
  /** Part of the packets that take 3 s longer. */
  readonly slow: number;
  /** Part of the datagrams that are lost. A lost part of a stream is sent again after 200 ms, then 400 ms, and so on. */
  readonly loss: number;
  /** Part of the datagrams that arrive twice. */
  readonly duplication: number;
  /** Part of the datagrams in which one bit arrives changed. */
  readonly corruption: number;
  /** Part of the stream messages on which the stream breaks. */
  readonly breaks: number;
}

/** A quiet local network: 0.2 ms and a little. */
export const QUIET_NETWORK: NetworkModel = {
  delayMs: 0.2,
  jitterMs: 0.2,
  slow: 0,
  loss: 0,
  duplication: 0,
  corruption: 0,
  breaks: 0,
};

/** `change` on top of `base`. @throws {BadOptionError} for a rate or time out of range, or a name that is none. */
export function networkModel(base: NetworkModel, change: Partial<NetworkModel> = {}): NetworkModel {
  for (const [name, value] of Object.entries(change)) {
    if (!Object.hasOwn(QUIET_NETWORK, name))
      throw new BadOptionError("a network setting", name, `one of ${Object.keys(QUIET_NETWORK).join(", ")}`);
    finite(`network.${name}`, value as number, 0, name.endsWith("Ms") ? 60_000 : 1);
  }
  return { ...base, ...change };
}
