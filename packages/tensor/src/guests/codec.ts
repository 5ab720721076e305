/** How the handles of a guest's tensors are written down. */
import type { HandleCodec } from "@glia-os/abi/ports";
import { GuestTensor } from "./guest-tensors.ts";
import { decodeTensor } from "./record.ts";

/** The codec, without the quota. A record is decoded before the guest has a space; its elements go there when the module opens. */
export const GUEST_TENSOR_CODEC: Omit<HandleCodec<GuestTensor>, "quota"> = {
  encode: (thing) => thing.encode(),
  decode: (record) => new GuestTensor(decodeTensor(record)),
};
