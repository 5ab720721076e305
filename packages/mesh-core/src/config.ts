/** Checks of a node's settings before anything starts. */
import type { NodeId } from "@glia-os/abi/ids";
import { ANCHOR_TIMEOUT_MAX_MS } from "./anchor/client.ts";
import { InvalidOptionError } from "./errors.ts";
import { membershipParameters } from "./membership/parameters.ts";
import { HOST_MAX } from "./membership/statement.ts";
import type { MeshConfig, MeshPorts, MinorityPolicy } from "./mesh-face.ts";
import { chosenParts } from "./parts.ts";

const MINORITY_POLICIES: readonly MinorityPolicy[] = ["continue", "refuse-moves", "pause-agents"];
const JOIN_MAX_MS = 60_000;
const DEADLINE_MAX_MS = 600_000;
const YEAR_MS = 366 * 86_400_000;

/** @throws {InvalidOptionError} for the first setting that is out of range or does not fit the others. */
export function checkConfig(ports: MeshPorts, config: MeshConfig, self: NodeId): void {
  const refuse = (name: string, why: string): never => {
    throw new InvalidOptionError(name, why);
  };
  const { name, role, bind, advertise, bootEpoch, start } = config;
  if (ports.transport.self !== self) refuse("transport", "it has another identity than the signer");
  if (!/^[a-z0-9._-]{1,32}$/.test(name)) refuse("name", "it is not 1 to 32 of a-z, 0-9, -, ., _");
  if (!Number.isSafeInteger(bootEpoch) || bootEpoch < 1)
    refuse("bootEpoch", "it is not an integer from 1 to 2^53 - 1");
  if (role === "client" && start.kind === "found") refuse("role", "a client cannot found a cluster");
  if (role === "client" && ports.cells !== undefined) refuse("cells", "a client hosts no agents");
  if (role !== "client" && bind === undefined) refuse("bind", "every role but client listens");
  if (start.kind === "found" && ports.coordination === undefined)
    refuse("coordination", "the founder is the anchor and needs an engine");
  if (start.kind === "join" && ports.coordination !== undefined)
    refuse("coordination", "a node that joins is not the anchor");
  for (const address of [bind, advertise])
    if (address !== undefined && (address.host.length < 1 || address.host.length > HOST_MAX))
      refuse("bind", `a host has 1 to ${HOST_MAX} characters`);
  membershipParameters(config.membership);
  chosenParts(config.parts);
  if (config.minorityPolicy !== undefined && !MINORITY_POLICIES.includes(config.minorityPolicy))
    refuse("minorityPolicy", `it is none of ${MINORITY_POLICIES.join(", ")}`);
  inRange("joinTimeoutMs", config.joinTimeoutMs, 1, JOIN_MAX_MS);
  inRange("anchorTimeoutMs", config.anchorTimeoutMs, 1, ANCHOR_TIMEOUT_MAX_MS);
  inRange("migrationDeadlineMs", config.migrationDeadlineMs, 1, DEADLINE_MAX_MS);
  inRange("certificateTtlMs", config.certificateTtlMs, 1000, 10 * YEAR_MS);
}

function inRange(name: string, value: number | undefined, min: number, max: number): void {
  if (value !== undefined && !(value >= min && value <= max))
    throw new InvalidOptionError(name, `${value} is not from ${min} to ${max}`);
}
