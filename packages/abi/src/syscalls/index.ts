export {
  ALL_RIGHTS,
  hasRights,
  RIGHTS,
  type RightName,
  type Rights,
  rightNames,
  rightsOf,
} from "./rights.ts";
export {
  type EffectClass,
  SYSCALLS,
  type SyscallArgument,
  type SyscallRow,
  syscallByNumber,
} from "./table.ts";
