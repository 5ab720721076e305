/** Which of the adapters is there. */
import { onnxAdapter } from "./onnx-adapter.ts";
import type { ProductAdapter } from "./product-adapter.ts";
import { webgpuAdapter } from "./webgpu-adapter.ts";

/** Adapters by name, in the order they are tried: ONNX Runtime first, because its results do not leave NaN and infinities open. */
const ADAPTERS: Readonly<Record<AdapterName, () => Promise<ProductAdapter>>> = {
  onnxruntime: () => onnxAdapter(),
  webgpu: () => webgpuAdapter(),
};

/** The name of an adapter. */
export type AdapterName = "onnxruntime" | "webgpu";

/** All names, in the order they are tried. */
export const ADAPTER_NAMES: readonly AdapterName[] = ["onnxruntime", "webgpu"];

/** What was found. */
export interface FoundAdapter {
  /** The first that is there. */
  readonly adapter: ProductAdapter | undefined;
  /** Why those before it are not. */
  readonly missing: readonly { readonly name: AdapterName; readonly problem: string }[];
}

/** The first of some adapters that is installed and has something to compute on. Never rejects. */
export async function findAdapter(names: readonly AdapterName[] = ADAPTER_NAMES): Promise<FoundAdapter> {
  const missing: { name: AdapterName; problem: string }[] = [];
  for (const name of names) {
    try {
      return { adapter: await ADAPTERS[name](), missing };
    } catch (error) {
      missing.push({ name, problem: (error as Error).message });
    }
  }
  return { adapter: undefined, missing };
}
