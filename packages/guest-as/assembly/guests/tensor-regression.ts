/** Trains a network of two layers on x -> sin(3x), yielding after each step, and replies with all weights after each message. */
import { receive, reply, yieldNow } from "../index";
import { Tensor, TRANSPOSE_FIRST, TRANSPOSE_SECOND } from "../tensor";

const SAMPLES = 32;
const HIDDEN = 16;

function spread(count: i32, scale: f32, salt: i32): StaticArray<f32> {
  const values = new StaticArray<f32>(count);
  for (let i = 0; i < count; i++) values[i] = scale * (<f32>(((i + salt) * 7919) % 211) / 105 - 1);
  return values;
}

export function glia_main(): i32 {
  const inputs = new StaticArray<f32>(SAMPLES * 2);
  const wanted = new StaticArray<f32>(SAMPLES);
  for (let i = 0; i < SAMPLES; i++) {
    const x = <f32>i / 16 - 1;
    inputs[2 * i] = x;
    inputs[2 * i + 1] = 1;
    wanted[i] = <f32>Math.sin(3 * x);
  }
  const x = Tensor.fromF32(inputs, [SAMPLES, 2]);
  const y = Tensor.fromF32(wanted, [SAMPLES, 1]);
  const w1 = Tensor.fromF32(spread(2 * HIDDEN, 1, 1), [2, HIDDEN]);
  const w2 = Tensor.fromF32(spread(HIDDEN, 0.3, 5), [HIDDEN, 1]);
  while (true) {
    const rounds = <i32>receive()[0];
    for (let round = 0; round < rounds; round++) {
      const hidden = x.matmul(w1);
      hidden.tanh(hidden);
      const error = hidden.matmul(w2);
      error.sub(y, error);
      const slope = hidden.mul(hidden);
      slope.mulNumber(-1, slope).addNumber(1, slope);
      const back = error.matmul(w2, TRANSPOSE_SECOND);
      back.mul(slope, back);
      yieldNow();
      const g2 = hidden.matmul(error, TRANSPOSE_FIRST);
      const g1 = x.matmul(back, TRANSPOSE_FIRST);
      w2.addScaled(g2, -0.01);
      w1.addScaled(g1, -0.01);
      const used = [hidden, error, slope, back, g2, g1];
      for (let i = 0; i < used.length; i++) used[i].free();
    }
    const guess = x.matmul(w1);
    guess.tanh(guess);
    const rest = guess.matmul(w2);
    rest.sub(y, rest);
    const flat = rest.reshape([SAMPLES]);
    const weights = w1.readF32();
    const bytes = new Uint8Array(8 + 4 * weights.length);
    store<f64>(bytes.dataStart, flat.dot(flat));
    memory.copy(bytes.dataStart + 8, changetype<usize>(weights), 4 * weights.length);
    guess.free();
    rest.free();
    flat.free();
    reply(bytes);
  }
  return 0;
}
