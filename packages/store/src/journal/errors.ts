/** The refusals of a journal, one class per failure. They survive a worker boundary as `store/errors.ts` says (R1). */
import type { GliaError } from "@glia-os/abi/errors";
import { StoreError } from "@glia-os/abi/errors/store";

/** A batch that does not start at the domain's next number. */
export class JournalGapError extends StoreError<"store.journal-gap"> {
  constructor(domain: string, firstSeq: number, nextSeq: number) {
    super("store.journal-gap", `record ${firstSeq} of ${domain} was refused: the next one is ${nextSeq}`, {
      details: { domain, firstSeq, nextSeq },
    });
  }
}

/** A batch or segment under an epoch that is over. */
export class StaleEpochError extends StoreError<"store.stale-epoch"> {
  constructor(domain: string, epoch: number, newest: number) {
    super("store.stale-epoch", `epoch ${epoch} of ${domain} is over: epoch ${newest} has written`, {
      details: { domain, epoch, newest },
    });
  }
}

/** Nothing was ever appended to the domain. */
export class DomainUnknownError extends StoreError<"store.domain-unknown"> {
  constructor(domain: string) {
    super("store.domain-unknown", `the journal has no domain ${JSON.stringify(domain)}`, {
      details: { domain },
    });
  }
}

/** Records that were truncated are asked for. */
export class JournalTruncatedError extends StoreError<"store.journal-truncated"> {
  constructor(domain: string, fromSeq: number, firstSeq: number) {
    super(
      "store.journal-truncated",
      `record ${fromSeq} of ${domain} was removed: the oldest is ${firstSeq}`,
      {
        details: { domain, fromSeq, firstSeq },
      },
    );
  }
}

/** No sealed segment starts with the record. */
export class SegmentUnknownError extends StoreError<"store.segment-unknown"> {
  constructor(domain: string, firstSeq: number) {
    super("store.segment-unknown", `no sealed segment of ${domain} starts with record ${firstSeq}`, {
      details: { domain, firstSeq },
    });
  }
}

/** A segment that is damaged or does not continue the domain's chain. */
export class SegmentRefusedError extends StoreError<"store.segment-refused"> {
  constructor(why: string) {
    super("store.segment-refused", `the segment was refused: ${why}`, { details: { why } });
  }
}

/** The journal holds as many domains as its limit allows. */
export class TooManyDomainsError extends StoreError<"store.too-many-domains"> {
  constructor(limit: number) {
    super("store.too-many-domains", `the journal has ${limit} domains already`, { details: { limit } });
  }
}

/** A journal file is damaged at a place that was acknowledged. */
export class JournalCorruptError extends StoreError<"store.journal-corrupt"> {
  constructor(file: string, offset: number, why: string) {
    super("store.journal-corrupt", `${file} is damaged at byte ${offset}: ${why}`, {
      details: { file, offset, why },
    });
  }
}

/** A journal file of a later format. */
export class JournalNewerError extends StoreError<"store.journal-newer"> {
  constructor(file: string, found: number, known: number) {
    super("store.journal-newer", `${file} has format ${found}; this version knows up to ${known}`, {
      details: { file, found, known },
    });
  }
}

type Details = Readonly<Record<string, unknown>>;

const text = (details: Details, key: string): string => String(details[key]);
const count = (details: Details, key: string): number => Number(details[key]);

/** The classes above by code, from the details of a record. */
export const REVIVE_JOURNAL = {
  "store.domain-unknown": (d: Details): GliaError => new DomainUnknownError(text(d, "domain")),
  "store.journal-corrupt": (d: Details): GliaError =>
    new JournalCorruptError(text(d, "file"), count(d, "offset"), text(d, "why")),
  "store.journal-gap": (d: Details): GliaError =>
    new JournalGapError(text(d, "domain"), count(d, "firstSeq"), count(d, "nextSeq")),
  "store.journal-newer": (d: Details): GliaError =>
    new JournalNewerError(text(d, "file"), count(d, "found"), count(d, "known")),
  "store.journal-truncated": (d: Details): GliaError =>
    new JournalTruncatedError(text(d, "domain"), count(d, "fromSeq"), count(d, "firstSeq")),
  "store.segment-refused": (d: Details): GliaError => new SegmentRefusedError(text(d, "why")),
  "store.segment-unknown": (d: Details): GliaError =>
    new SegmentUnknownError(text(d, "domain"), count(d, "firstSeq")),
  "store.stale-epoch": (d: Details): GliaError =>
    new StaleEpochError(text(d, "domain"), count(d, "epoch"), count(d, "newest")),
  "store.too-many-domains": (d: Details): GliaError => new TooManyDomainsError(count(d, "limit")),
} as const;
