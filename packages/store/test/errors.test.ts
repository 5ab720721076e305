import { isGliaError, RemoteError } from "@glia-os/abi/errors";
import { ERROR_CODES } from "@glia-os/abi/errors/all";
import { expect, it } from "vitest";
import * as blobs from "../src/blobs/errors.ts";
import * as engine from "../src/engine/errors.ts";
import * as errors from "../src/errors.ts";
import * as journal from "../src/journal/errors.ts";
import * as keys from "../src/key-value/errors.ts";
import * as replica from "../src/replica/errors.ts";

const text = "something";
const samples = [
  new errors.AgentExistsError(text),
  new errors.AgentTerminatedError(text),
  new errors.CannotOpenError(text, "why"),
  new errors.ChangesCompactedError(1, 2, 3),
  new errors.CorruptError(text, "why"),
  new errors.ForeignDatabaseError(text, "a store"),
  new errors.InUseError(text),
  new errors.NameInvalidError(text),
  new errors.NotReplicaError("1".repeat(32), "a".repeat(64)),
  new errors.OwnerAliveError("1".repeat(32), "session"),
  new errors.NameTakenError(text, "agent"),
  new errors.NotADatabaseError(text),
  new errors.NotWritableError(text),
  new errors.QueueFullError(7, "bytes"),
  new errors.RequestIdReusedError(text),
  new errors.SchemaNewerError(text, 3, 1),
  new errors.SessionExpiredError(text),
  new errors.StoreClosedError(),
  new errors.StoreFullError(text),
  new errors.TooManyAgentsError(7, "agents"),
  new errors.TooManySessionsError(7),
  new errors.TtlOutOfRangeError(Number.NaN),
  new errors.WorkerStoppedError(text),
  new errors.WriteFailedError(text),
  new blobs.BlobCorruptError(text, "why"),
  new blobs.BlobTooLargeError(7, 5),
  new blobs.TooManyBlobsError(7),
  new engine.EngineUnfitError(text, "why"),
  new engine.EngineUnreachableError(text, "why"),
  new engine.OutcomeUnknownError(text, "why"),
  new keys.TooManyKeysError(7),
  new keys.ValueTooLargeError(7, 5),
  new journal.DomainUnknownError(text),
  new journal.JournalCorruptError(text, 64, "why"),
  new journal.JournalGapError(text, 7, 5),
  new journal.JournalNewerError(text, 2, 1),
  new journal.JournalTruncatedError(text, 1, 5),
  new journal.SegmentRefusedError("why"),
  new journal.SegmentUnknownError(text, 3),
  new journal.StaleEpochError(text, 1, 2),
  new journal.TooManyDomainsError(7),
  new replica.ReplicaBehindError(text, 7, 9),
  new replica.ReplicaForeignError(text, "why"),
  new replica.ReplicaLostError(text, "why"),
  new replica.ReplicaShortError(text, 1, 2),
];

it("every code of the store namespace has one class, and every class a sample here", () => {
  const codes = Object.keys(ERROR_CODES).filter((code) => code.startsWith("store."));
  expect(samples.map((sample) => sample.code as string).sort()).toEqual(codes.sort());
});

it.each(samples.map((sample) => [sample.code, sample] as const))(
  "R1: %s comes back as the same class and sentences",
  (_code, sample) => {
    const revived = errors.reviveError(structuredClone(sample.toRecord()));
    expect(revived).toBeInstanceOf(sample.constructor);
    expect(revived.toRecord()).toEqual(sample.toRecord());
    const fromRow = errors.reviveError(
      JSON.parse(JSON.stringify({ code: sample.code, details: sample.details })),
    );
    expect(fromRow.message).toBe(sample.message);
  },
);

it("a record of a code this package does not know keeps its code", () => {
  const revived = errors.reviveError({
    code: "later.invented",
    message: "m",
    changed: "c",
    fix: "f",
    retryable: false,
  });
  expect(revived).toBeInstanceOf(RemoteError);
  expect(isGliaError(revived) && revived.toRecord().code).toBe("later.invented");
});
