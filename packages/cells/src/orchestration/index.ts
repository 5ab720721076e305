/** Orchestration: what agents do together, as routines that run inside agents and outside, in one process and over a mesh. */
export { awaitAll, awaitFirst, awaitSettled } from "./await.ts";
export { type Abstention, Ballot, type BallotOutcome, type Equivocation, type Vote } from "./ballot.ts";
export { canonicalText } from "./canonical.ts";
export { CHANNEL_CAPACITY, CHANNEL_CAPACITY_MAX, Channel, type ChannelOptions, channel } from "./channel.ts";
export {
  BadOptionError,
  ChannelClosedError,
  GroupFullError,
  GroupStateError,
  LeaseHeldError,
  LeaseLostError,
  StageCycleError,
  StageFailedError,
  UnknownMemberError,
} from "./errors.ts";
export { createMemoryFenceStore } from "./fence-store.ts";
export {
  createGroup,
  GROUP_MAX,
  type Group,
  type GroupState,
  join,
  LEADERS_MAX,
  leadersOf,
  leave,
  observe,
  roleOf,
  step,
  viewOf,
  votersOf,
} from "./group.ts";
export { type Leadership, lead } from "./leadership.ts";
export {
  type BestEffortLease,
  type FencedLease,
  FenceGate,
  isHeld,
  lease,
  release,
  renew,
  withLease,
} from "./lease.ts";
export {
  type BestEffortKeeper,
  type FencingKeeper,
  LEASE_TTL_MS_MAX,
  type LeaseClaim,
  type LeaseGrant,
  type LeaseMessages,
  type LeaseRequest,
  type LeaseState,
  leaseKeeper,
} from "./lease-keeper.ts";
export { Pipeline, PipelineRun, type PipelineRunOptions, pipe, pipeline, STAGES_MAX } from "./pipeline.ts";
export { crossCheck, type QuorumOptions, type QuorumResult, quorum } from "./quorum.ts";
export {
  evaluate,
  MARK_WEIGHTS,
  type Mark,
  type Marks,
  type MarkWeights,
  marksOf,
  noReputations,
  type Ranked,
  type Reputations,
  rank,
  reputationOf,
} from "./reputation.ts";
export {
  type MemberAction,
  type MemberRoutine,
  pausing,
  type RollingOptions,
  type RollingReport,
  restarting,
  roll,
  rollOutside,
  upgrading,
} from "./rolling.ts";
export {
  noRumors,
  type Rumor,
  type RumorId,
  type RumorOptions,
  type RumorState,
  type Rumors,
  rumors,
} from "./rumors.ts";
export { admit, nextNumber, nothingSeen, type Seen } from "./seen.ts";
export { type Responsible, Shards, shard, type View } from "./shard.ts";
export { type SignalledAll, signal, signalAll } from "./signal.ts";
export { spawn, spawnMany } from "./spawn.ts";
export {
  type Outputs,
  type SourceOptions,
  STAGE_CREDIT,
  type Stage,
  type StageOptions,
  source,
  stage,
} from "./stage.ts";
export {
  createTopology,
  flood,
  neighbours,
  type Relayed,
  relay,
  route,
  type Topology,
  withMember,
  without,
} from "./topology.ts";
export { neededOf, type Threshold, VOTERS_MAX, type Voter, type VoterSet, voterSet } from "./voter-set.ts";
