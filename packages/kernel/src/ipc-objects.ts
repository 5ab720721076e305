/**
 * Channels, endpoints, mailboxes with leases and regions: what a program needs besides the methods of `Sys`.
 * docs/ipc.md says which to use when.
 */
export { CHANNEL_CAPACITY_MAX } from "./channel/channel.ts";
export { ChannelClosedError } from "./channel/errors.ts";
export { receiveLease, replyReceive } from "./channel/routines.ts";
export { leaseOf, sendTo } from "./channel/selecting.ts";
export type { EndpointState } from "./endpoint/endpoint.ts";
export type { Envelope } from "./endpoint/envelope.ts";
export { AlreadyBadgedError, EndpointClosedError } from "./endpoint/errors.ts";
export { LeaseEndedError, NotALeaseError } from "./lease/errors.ts";
export type { DeadLetter, Lease } from "./lease/lease.ts";
export type { LeaseOptions } from "./lease/lease-options.ts";
export { OutsideRegionError } from "./region/errors.ts";
export { REGION_BYTES_MAX, type RegionOptions } from "./region/region.ts";
export type { RegionView } from "./region/region-view.ts";
