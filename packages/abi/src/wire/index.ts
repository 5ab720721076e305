export {
  type AbiType,
  GUEST_ERRORS,
  type GuestErrorName,
  HOST_IMPORTS,
  HOST_MODULE,
  type HostImport,
} from "./host-abi.ts";
export { INCREMENT_MAGIC, SNAPSHOT_MAGIC, SNAPSHOT_PAGE_BYTES, SNAPSHOT_VERSION } from "./snapshot.ts";
export {
  GUEST_CAPABILITIES,
  MESSAGE_CAPABILITIES,
  SYS_IMPORTS,
  SYS_MODULE,
  type SysImport,
} from "./sys-abi.ts";
export { TENSOR_FUNCTIONS, TENSOR_MODULE, type TensorFunction } from "./tensor-abi.ts";
export { formatTraceparent, isSpanContext, parseTraceparent } from "./traceparent.ts";
export { ABI_VERSION } from "./version.ts";
