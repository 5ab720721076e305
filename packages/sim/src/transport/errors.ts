/** One class per refusal of the simulated transport, with the codes and meanings of the `wire` namespace. */
import { WireError } from "@glia-os/abi/errors/wire";
import type { NodeId } from "@glia-os/abi/ids";
import type { HostPort, TrafficClass } from "@glia-os/abi/ports";

const shown = ({ host, port }: HostPort): string => `${host}:${port}`;

/** Another transport of the machine listens there. */
export class SimulatedAddressInUseError extends WireError<"wire.address-in-use"> {
  constructor(address: HostPort) {
    super("wire.address-in-use", `another transport listens at ${shown(address)}`, {
      details: { ...address },
    });
  }
}

/** The address is of another machine, or none. */
export class SimulatedAddressUnavailableError extends WireError<"wire.address-unavailable"> {
  constructor(address: HostPort, own: string) {
    super("wire.address-unavailable", `cannot listen at ${shown(address)}: this machine is ${own}`, {
      details: { ...address },
    });
  }
}

/** `listen` was called on a transport that listens. */
export class SimulatedAlreadyListeningError extends WireError<"wire.already-listening"> {
  constructor(address: HostPort) {
    super("wire.already-listening", `the transport already listens at ${shown(address)}`);
  }
}

/** Nobody listens there, or the connection broke before there was a session. */
export class SimulatedConnectFailedError extends WireError<"wire.connect-failed"> {
  constructor(address: HostPort, why: string) {
    super("wire.connect-failed", `no session to ${shown(address)}: ${why}`, { details: { ...address } });
  }
}

/** Nobody answered in time. */
export class SimulatedConnectTimeoutError extends WireError<"wire.connect-timeout"> {
  constructor(address: HostPort, timeoutMs: number) {
    super("wire.connect-timeout", `${shown(address)} did not answer within ${timeoutMs} ms`, {
      details: { ...address },
    });
  }
}

/** A message is larger than its class allows. */
export class SimulatedMessageTooLargeError extends WireError<"wire.message-too-large"> {
  constructor(trafficClass: TrafficClass, bytes: number, most: number) {
    super(
      "wire.message-too-large",
      `a ${trafficClass} message of ${bytes} bytes; at most ${most} are allowed`,
    );
  }
}

/** Another node is at the address. */
export class SimulatedPeerIdentityError extends WireError<"wire.peer-identity"> {
  constructor(address: HostPort, expected: NodeId, found: NodeId) {
    super("wire.peer-identity", `at ${shown(address)} is ${found}, not ${expected}`, {
      details: { expected, found },
    });
  }
}

/** The session is over. */
export class SimulatedSessionClosedError extends WireError<"wire.session-closed"> {
  constructor(why: string) {
    super("wire.session-closed", `the session is closed: ${why}`);
  }
}

/** A transport has as many sessions as it may. */
export class SimulatedSessionLimitError extends WireError<"wire.session-limit"> {
  constructor(limit: number) {
    super("wire.session-limit", `a transport has at most ${limit} sessions`, { details: { limit } });
  }
}

/** The transport is closed. */
export class SimulatedTransportClosedError extends WireError<"wire.transport-closed"> {
  constructor() {
    super("wire.transport-closed", "the transport is closed");
  }
}
