/** The names tasks have for their capabilities (`capability-table.ts`). */
import type { Brand } from "@glia-os/abi/ids";

declare const carried: unique symbol;

/** Names a capability of one task. `Message` is what the object behind it carries. */
export type Handle<Message = unknown> = Brand<number, "Handle"> & { readonly [carried]?: Message };
