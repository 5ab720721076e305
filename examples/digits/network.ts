/**
 * A network of two layers, 64 inputs to 10 classes, trained by stochastic gradient descent on cross-entropy.
 *
 * N1. All memory is taken when it is made: a training step takes none.
 * N2. It computes in the backend `fixed`: the same images in the same order give the same weights, to the bit, on every machine.
 */
import { Space, Tensor } from "@glia-os/tensor";
import { fixedBackend } from "@glia-os/tensor/backends";

const INPUTS = 64;
const HIDDEN = 32;
const CLASSES = 10;

/** Images of one step. */
export const BATCH = 50;

/** Draws a number from -1 to 1. */
export type Draw = () => number;

/** See the top of this file. */
export class Network {
  readonly #space = new Space({ backend: fixedBackend(), limitBytes: 1 << 20, reclaim: false });
  readonly #w1: Tensor;
  readonly #b1 = this.#zeros(HIDDEN);
  readonly #w2: Tensor;
  readonly #b2 = this.#zeros(CLASSES);
  readonly #images = this.#zeros(BATCH, INPUTS);
  readonly #wanted = this.#zeros(BATCH, CLASSES);
  readonly #hidden = this.#zeros(BATCH, HIDDEN);
  readonly #guess = this.#zeros(BATCH, CLASSES);
  readonly #back = this.#zeros(BATCH, HIDDEN);
  readonly #dead = Tensor.zeros([BATCH, HIDDEN], { dtype: "bool", space: this.#space });
  readonly #none = this.#zeros(1);
  readonly #slope1 = this.#zeros(INPUTS, HIDDEN);
  readonly #slope2 = this.#zeros(HIDDEN, CLASSES);
  readonly #shift1 = this.#zeros(HIDDEN);
  readonly #shift2 = this.#zeros(CLASSES);
  readonly #imagesAcross = this.#images.transpose();
  readonly #hiddenAcross = this.#hidden.transpose();
  readonly #w2Across: Tensor;

  constructor(draw: Draw) {
    this.#w1 = this.#random(draw, INPUTS, HIDDEN);
    this.#w2 = this.#random(draw, HIDDEN, CLASSES);
    this.#w2Across = this.#w2.transpose();
  }

  /** Learn from one batch of images and labels. */
  learn(images: readonly (readonly number[])[], labels: readonly number[], rate: number): void {
    this.#guesses(images);
    const wanted = this.#wanted.fill(0).data;
    for (const [row, label] of labels.entries()) wanted[row * CLASSES + label] = 1;
    const error = this.#guess.sub(this.#wanted, this.#guess);
    this.#hiddenAcross.matmul(error, this.#slope2);
    error.sum({ axis: 0 }, this.#shift2);
    error.matmul(this.#w2Across, this.#back);
    this.#hidden.lessEqual(0, this.#dead);
    this.#dead.select(this.#none, this.#back, this.#back);
    this.#imagesAcross.matmul(this.#back, this.#slope1);
    this.#back.sum({ axis: 0 }, this.#shift1);
    const step = -rate / BATCH;
    this.#w1.addScaled(this.#slope1, step);
    this.#b1.addScaled(this.#shift1, step);
    this.#w2.addScaled(this.#slope2, step);
    this.#b2.addScaled(this.#shift2, step);
  }

  /** The probability of each class for each of at most BATCH images. */
  classify(images: readonly (readonly number[])[]): Float32Array[] {
    const all = this.#guesses(images).data as Float32Array;
    return images.map((_, row) => all.slice(row * CLASSES, (row + 1) * CLASSES));
  }

  /** All weights, for comparison. */
  weights(): Uint8Array {
    return Buffer.concat(
      [this.#w1, this.#b1, this.#w2, this.#b2].map((one) => new Uint8Array(one.toTypedArray().buffer)),
    );
  }

  /** Blocks of memory taken since the network was made. */
  get blocksTaken(): number {
    return this.#space.use().blocksTaken;
  }

  #guesses(images: readonly (readonly number[])[]): Tensor {
    const inputs = this.#images.fill(0).data;
    for (const [row, pixels] of images.entries())
      for (const [at, grey] of pixels.entries()) inputs[row * INPUTS + at] = grey / 15;
    this.#images.matmul(this.#w1, this.#hidden);
    this.#hidden.add(this.#b1, this.#hidden);
    this.#hidden.relu(this.#hidden);
    this.#hidden.matmul(this.#w2, this.#guess);
    this.#guess.add(this.#b2, this.#guess);
    return this.#guess.softmax(-1, this.#guess);
  }

  #zeros(...shape: readonly number[]): Tensor {
    return Tensor.zeros(shape, { space: this.#space });
  }

  /** Small random weights, smaller for more inputs (He et al. 2015). */
  #random(draw: Draw, inputs: number, outputs: number): Tensor {
    const scale = Math.sqrt(6 / inputs);
    return Tensor.from(
      Float32Array.from({ length: inputs * outputs }, () => draw() * scale),
      {
        shape: [inputs, outputs],
        space: this.#space,
      },
    );
  }
}
