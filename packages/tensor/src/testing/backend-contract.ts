/**
 * What every backend must do: the values of docs/spec/tensor.md, at every length around the widths of vectors, for every kind of stride,
 * with NaN, infinities, both zeros and denormals, writing nothing beside the result. The scalar backend is the reference; its own
 * values are tested against NumPy and long double.
 */
import { SeededRandom } from "@glia-os/abi/testing";
import type { Backend } from "../backend.ts";
import { elements } from "./element-claims.ts";
import { products } from "./product-claims.ts";
import { reductions } from "./reduction-claims.ts";
import { rows } from "./row-claims.ts";
import { EXACT, TwinMemory } from "./twin-memory.ts";

/** One claim about a backend. */
export interface ContractCase {
  readonly title: string;
  /** @throws AssertionError when the claim does not hold */
  readonly run: () => void;
}

/** What is promised besides the contract. */
export interface ContractOptions {
  /** The backend gives the reference's bits (N12). Default false: the tolerances of docs/spec/tensor.md. */
  readonly exact?: boolean;
  /** Default 1. */
  readonly seed?: number;
}

/** The contract of `Backend`. A backend is made for each case and closed after it. */
export function backendContract(
  make: () => Backend,
  { exact = false, seed = 1 }: ContractOptions = {},
): readonly ContractCase[] {
  return Object.entries({ ...elements, ...reductions, ...products, ...rows }).map(([title, check]) => ({
    title: `${title} (seed ${seed})`,
    run: () => {
      const backend = make();
      try {
        check(new TwinMemory(backend, new SeededRandom(seed)), (tolerance) => (exact ? EXACT : tolerance));
      } finally {
        backend.close?.();
      }
    },
  }));
}
