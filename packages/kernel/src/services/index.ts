/** Services of the world outside, for `Kernel.service`: over the ports of `abi`, or of your own. */
export { CancelSource } from "@glia-os/abi/ports";
export {
  approverService,
  filesService,
  httpService,
  modelService,
  type ServiceOptions,
  toolService,
} from "./ports.ts";
export type { RecordedOutcomes } from "./recorded-outcomes.ts";
export type { ApprovalQuestion, FetchRequest, FileRequest, ShownQuestion } from "./requests.ts";
export { KernelService, SERVICE_KINDS, type Service, type ServiceCall, type ServiceKind } from "./service.ts";
