/** Jobs of a node for programs outside: the protocol, its two clients, and what holds for every face of it. */
export {
  CONTRACT_PROGRAM,
  type JobProtocolCase,
  type JobProtocolHarness,
  jobProtocolContract,
} from "../testing/job-protocol-contract.ts";
export { connectGrpcJobs } from "./grpc-client.ts";
export type { JobApi } from "./job-api.ts";
export { type JobProtocol, jobProtocolOver } from "./job-protocol.ts";
export type { JobFilter, JobState, JobSubmission, JobView } from "./job-views.ts";
export { connectJsonRpcJobs, type JobFaceAddress } from "./json-rpc-client.ts";
