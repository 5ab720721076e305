/** The syscalls about objects other than mailboxes, and about capabilities (`sys.ts`). */
import { ALL_RIGHTS, RIGHTS, type Rights } from "@glia-os/abi/syscalls";
import { Channel } from "./channel/channel.ts";
import { closeChannel } from "./channel/port.ts";
import { READ_LIMIT } from "./constants.ts";
import { badgeEndpoint } from "./endpoint/badge.ts";
import { Endpoint } from "./endpoint/endpoint.ts";
import { UnknownTaskError } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { raise } from "./ipc.ts";
import { ack, nack, renew } from "./lease/acknowledge.ts";
import type { Lease } from "./lease/lease.ts";
import { whole } from "./mailbox.ts";
import { Notification } from "./notification.ts";
import * as op from "./opcodes.ts";
import type { Operation } from "./operation.ts";
import type { Performer } from "./performer.ts";
import { CheckedView } from "./region/checked-view.ts";
import { Region, type RegionOptions } from "./region/region.ts";
import type { RegionView } from "./region/region-view.ts";
import type { KernelResource } from "./resources/resource.ts";
import { readDevice, writeDevice } from "./resources/use.ts";
import type { Scheduler } from "./scheduler.ts";
import { arm, enter, record, running } from "./sys-entry.ts";
import { type TaskId, WAITING } from "./task.ts";
import { TaskCalls } from "./task-calls.ts";

/** The syscalls about tasks and objects. */
export class ObjectCalls extends TaskCalls {
  readonly #scheduler: Scheduler;
  readonly #performer: Performer;

  constructor(scheduler: Scheduler, performer: Performer) {
    super(scheduler, performer);
    this.#scheduler = scheduler;
    this.#performer = performer;
  }

  // Channels, endpoints and leases

  channel<Message = unknown>(capacity: number): Handle<Message> {
    const task = enter(this.#scheduler, op.CHANNEL, 0);
    return this.#scheduler.capabilities.mint(task, new Channel(capacity), ALL_RIGHTS) as Handle<Message>;
  }

  close(target: Handle): void {
    const s = this.#scheduler;
    const task = running(this.#scheduler, op.CLOSE);
    const channel = s.seam.authorize(op.CLOSE, task, target, RIGHTS.revoke, "channel") as Channel;
    record(this.#scheduler, op.CLOSE, task, target);
    closeChannel(s, channel);
  }

  endpoint(): Handle {
    const task = enter(this.#scheduler, op.ENDPOINT, 0);
    return this.#scheduler.capabilities.mint(task, new Endpoint(), ALL_RIGHTS);
  }

  badge(source: Handle, badge: number, rights: Rights = ALL_RIGHTS): Handle {
    const task = running(this.#scheduler, op.BADGE);
    const badged = badgeEndpoint(this.#scheduler, task, source, badge, rights);
    record(this.#scheduler, op.BADGE, task, source);
    return badged;
  }

  ack(lease: Lease): void {
    enter(this.#scheduler, op.ACK, 0);
    ack(lease);
  }

  nack(lease: Lease): void {
    enter(this.#scheduler, op.NACK, 0);
    nack(lease);
  }

  renew(lease: Lease, durationMs: number): void {
    enter(this.#scheduler, op.RENEW, 0);
    renew(lease, durationMs);
  }

  // Regions

  region(bytes: number, options?: RegionOptions): Handle {
    const task = enter(this.#scheduler, op.REGION, bytes);
    return this.#scheduler.capabilities.mint(task, new Region(bytes, options), ALL_RIGHTS);
  }

  readRegion(source: Handle, offset: number, length: number): Uint8Array {
    const { seam } = this.#scheduler;
    const task = running(this.#scheduler, op.READ_REGION);
    const region = seam.authorize(op.READ_REGION, task, source, RIGHTS.read, "region") as Region;
    const bytes = region.read(offset, length);
    seam.journal.outcome(task.id, op.READ_REGION, bytes, false);
    record(this.#scheduler, op.READ_REGION, task, source);
    return bytes;
  }

  writeRegion(target: Handle, offset: number, bytes: Uint8Array): void {
    const task = running(this.#scheduler, op.WRITE_REGION);
    const { seam } = this.#scheduler;
    const region = seam.authorize(op.WRITE_REGION, task, target, RIGHTS.write, "region") as Region;
    record(this.#scheduler, op.WRITE_REGION, task, target);
    region.write(offset, bytes);
  }

  mapRegion(source: Handle): RegionView {
    const s = this.#scheduler;
    const task = running(this.#scheduler, op.MAP_REGION);
    s.seam.authorize(op.MAP_REGION, task, source, 0, "region");
    record(this.#scheduler, op.MAP_REGION, task, source);
    return new CheckedView(s, source);
  }

  // Signals and keys

  notification(): Handle {
    const task = enter(this.#scheduler, op.NOTIFICATION, 0);
    return this.#scheduler.capabilities.mint(task, new Notification(), ALL_RIGHTS);
  }

  signal(target: Handle, bits = 1): void {
    const s = this.#scheduler;
    const task = running(this.#scheduler, op.SIGNAL);
    whole("signal bits", bits, 1, 0x7fffffff);
    const object = s.seam.authorize(op.SIGNAL, task, target, RIGHTS.signal, "notification");
    record(this.#scheduler, op.SIGNAL, task, target);
    raise(s, object as Notification, bits);
  }

  waitSignal(source: Handle): Operation<number> {
    return arm<number>(this.#performer, op.WAIT_SIGNAL, source, undefined, undefined);
  }

  waitOn<Value = unknown>(key: unknown): Operation<Value> {
    return arm<Value>(this.#performer, op.WAIT_ON, key, undefined, undefined);
  }

  wake(key: unknown, value?: unknown, count: number = Number.POSITIVE_INFINITY): number {
    enter(this.#scheduler, op.WAKE, 0);
    return wakeKey(this.#scheduler, key, value, count);
  }

  // Capabilities

  grant<Message>(task: TaskId, source: Handle<Message>, rights: Rights): Handle<Message> {
    const s = this.#scheduler;
    const self = running(this.#scheduler, op.GRANT);
    s.seam.authorizeHandle(op.GRANT, self, source, RIGHTS.grant);
    const target = s.tasks.get(task);
    if (target === undefined || target.state > WAITING) throw new UnknownTaskError(task);
    record(this.#scheduler, op.GRANT, self, source);
    return s.capabilities.derive(source, target, rights) as Handle<Message>;
  }

  attenuate<Message>(source: Handle<Message>, rights: Rights): Handle<Message> {
    const s = this.#scheduler;
    const task = running(this.#scheduler, op.ATTENUATE);
    s.seam.authorizeHandle(op.ATTENUATE, task, source, 0);
    record(this.#scheduler, op.ATTENUATE, task, source);
    return s.capabilities.derive(source, task, rights) as Handle<Message>;
  }

  revoke(source: Handle): number {
    const s = this.#scheduler;
    const task = running(this.#scheduler, op.REVOKE);
    s.seam.authorizeHandle(op.REVOKE, task, source, RIGHTS.revoke);
    record(this.#scheduler, op.REVOKE, task, source);
    return s.capabilities.revoke(source);
  }

  drop(handle: Handle): void {
    const s = this.#scheduler;
    const task = running(this.#scheduler, op.DROP);
    s.seam.authorizeHandle(op.DROP, task, handle, 0);
    record(this.#scheduler, op.DROP, task, handle);
    s.capabilities.drop(handle);
  }

  // Resources

  readWait(source: Handle): Operation<void> {
    return arm<void>(this.#performer, op.READ_WAIT, source, undefined, undefined);
  }

  writeWait(target: Handle): Operation<void> {
    return arm<void>(this.#performer, op.WRITE_WAIT, target, undefined, undefined);
  }

  readFrom<Value = Uint8Array>(source: Handle, limit: number): Value | undefined {
    const task = running(this.#scheduler, op.READ_FROM);
    whole("limit", limit, 1, READ_LIMIT);
    const s = this.#scheduler;
    const resource = s.seam.authorize(op.READ_FROM, task, source, RIGHTS.read, "resource") as KernelResource;
    record(this.#scheduler, op.READ_FROM, task, source);
    return readDevice(s, task, resource, limit) as Value | undefined;
  }

  writeTo(target: Handle, data: unknown): number {
    const task = running(this.#scheduler, op.WRITE_TO);
    const s = this.#scheduler;
    const resource = s.seam.authorize(op.WRITE_TO, task, target, RIGHTS.write, "resource") as KernelResource;
    record(this.#scheduler, op.WRITE_TO, task, target);
    return writeDevice(s, task, resource, data);
  }

  closeResource(target: Handle): void {
    const task = running(this.#scheduler, op.CLOSE_RESOURCE);
    const s = this.#scheduler;
    const resource = s.seam.authorize(op.CLOSE_RESOURCE, task, target, RIGHTS.revoke, "resource");
    record(this.#scheduler, op.CLOSE_RESOURCE, task, target);
    (resource as KernelResource).close();
  }
}

/** Wake tasks that wait for a key. */
export function wakeKey(scheduler: Scheduler, key: unknown, value: unknown, count: number): number {
  const queue = scheduler.waits.find(key);
  let woken = 0;
  while (queue !== undefined && woken < count && scheduler.wakeOne(queue, value)) woken++;
  scheduler.waits.prune(key);
  return woken;
}
