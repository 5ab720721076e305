/** The operations that `glia bench tensor` measures, and how: the best of some runs, each of which does the whole operation. */

import type { Backend } from "@glia-os/tensor";
import { Space, Tensor } from "@glia-os/tensor";

/** A thousand millions: of operations per second, or of bytes. */
const GIGA = 1e9;
/** How long one operation is measured at most, unless a single run takes longer. */
const LIMIT_MS = 120;
const LENGTH = 1_000_000;

/** One operation. */
export interface MeasuredOperation {
  readonly name: string;
  /** What `amount` counts, per second. */
  readonly unit: "GFLOP/s" | "GOP/s" | "GB/s" | "million/s";
  /** How much of it one run does. */
  readonly amount: number;
  /** Makes the operands in a space and gives the operation. */
  readonly prepare: (space: Space) => () => void;
}

function product(side: number): MeasuredOperation {
  return {
    name: `matmul f32 ${side}`,
    unit: "GFLOP/s",
    amount: (2 * side ** 3) / GIGA,
    prepare: (space) => {
      const [a, b, out] = [
        spread(space, [side, side]),
        spread(space, [side, side]),
        spread(space, [side, side]),
      ];
      return () => void a.matmul(b, out);
    },
  };
}

function spread(space: Space, shape: readonly number[]): Tensor {
  const size = shape.reduce((all, length) => all * length, 1);
  const values = Float32Array.from({ length: size }, (_, i) => ((i * 37) % 101) / 101 - 0.5);
  return Tensor.from(values, { shape, space });
}

function bytes(space: Space, side: number): Tensor {
  return Tensor.from(
    Int8Array.from({ length: side * side }, (_, i) => i * 37),
    { shape: [side, side], space },
  );
}

/** All of them, in the order they are shown. */
export const OPERATIONS: readonly MeasuredOperation[] = [
  product(64),
  product(512),
  {
    name: "matmul i8 512",
    unit: "GOP/s",
    amount: (2 * 512 ** 3) / GIGA,
    prepare: (space) => {
      const [a, b, out] = [
        bytes(space, 512),
        bytes(space, 512),
        Tensor.zeros([512, 512], { dtype: "i32", space }),
      ];
      return () => void a.matmul(b, out);
    },
  },
  {
    name: "dot 1 million",
    unit: "GB/s",
    amount: (2 * 4 * LENGTH) / GIGA,
    prepare: (space) => {
      const [a, b, out] = [spread(space, [LENGTH]), spread(space, [LENGTH]), Tensor.zeros([], { space })];
      return () => void a.dot(b, out);
    },
  },
  {
    name: "add 1 million",
    unit: "GB/s",
    amount: (3 * 4 * LENGTH) / GIGA,
    prepare: (space) => {
      const [a, b, out] = [spread(space, [LENGTH]), spread(space, [LENGTH]), spread(space, [LENGTH])];
      return () => void a.add(b, out);
    },
  },
  {
    name: "exp 1 million",
    unit: "million/s",
    amount: LENGTH / 1e6,
    prepare: (space) => {
      const [a, out] = [spread(space, [LENGTH]), spread(space, [LENGTH])];
      return () => void a.exp(out);
    },
  },
];

/** The best rate of an operation on a backend, in its unit. The backend serves nothing else meanwhile. */
export function rateOf({ prepare, amount }: MeasuredOperation, backend: Backend): number {
  const run = prepare(new Space({ backend, reclaim: false }));
  let best = Number.POSITIVE_INFINITY;
  const begun = performance.now();
  for (let last = begun; last - begun < LIMIT_MS; ) {
    run();
    const now = performance.now();
    best = Math.min(best, now - last);
    last = now;
  }
  return amount / (best / 1000);
}
