/** One class per refusal of models. What each changed and what to do stands in the code table of `abi`. */
import { InferenceError } from "@glia-os/abi/errors/inference";

/** Facts of an answer that a provider refused with. */
export interface Refusal {
  readonly status: number;
  /** The words of the provider, shortened, without secrets. */
  readonly said: string;
  /** Attempts that were made. */
  readonly attempts: number;
}

/** An option is out of range or of another kind. */
export class BadModelOptionError extends InferenceError<"inference.bad-option"> {
  constructor(option: string, wanted: string) {
    super("inference.bad-option", `${option} must be ${wanted}`, { details: { option, wanted } });
  }
}

/** The provider does not take the key. */
export class AuthError extends InferenceError<"inference.auth"> {
  constructor(refusal: Refusal) {
    super("inference.auth", `the provider refused the key (${refusal.status}): ${refusal.said}`, {
      details: { ...refusal },
    });
  }
}

/** The account at the provider is empty. */
export class OutOfFundsError extends InferenceError<"inference.out-of-funds"> {
  constructor(refusal: Refusal) {
    super("inference.out-of-funds", `the provider wants money first (${refusal.status}): ${refusal.said}`, {
      details: { ...refusal },
    });
  }
}

/** Too many requests, after every attempt. */
export class ThrottledError extends InferenceError<"inference.throttled"> {
  constructor(refusal: Refusal, retryAfterMs: number | undefined) {
    const wait = retryAfterMs === undefined ? "" : `; it asks to wait ${retryAfterMs} ms`;
    super(
      "inference.throttled",
      `the provider takes no more requests (${refusal.status})${wait}: ${refusal.said}`,
      {
        details: { ...refusal, retryAfterMs },
      },
    );
  }
}

/** The provider is down or busy, after every attempt. */
export class OverloadedError extends InferenceError<"inference.overloaded"> {
  constructor(refusal: Refusal) {
    super("inference.overloaded", `the provider cannot answer (${refusal.status}): ${refusal.said}`, {
      details: { ...refusal },
    });
  }
}

/** The provider does not take the request as it stands. */
export class RefusedError extends InferenceError<"inference.refused"> {
  constructor(refusal: Refusal) {
    super("inference.refused", `the provider refused the request (${refusal.status}): ${refusal.said}`, {
      details: { ...refusal },
    });
  }
}

/** The exchange broke. */
export class NetworkError extends InferenceError<"inference.network"> {
  constructor(cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super("inference.network", `the exchange with the provider broke: ${why}`, { cause });
  }
}

/** What came back is no completion. */
export class BadAnswerError extends InferenceError<"inference.bad-answer"> {
  constructor(why: string) {
    super("inference.bad-answer", `the answer of the provider is no completion: ${why}`, {
      details: { why },
    });
  }
}

/** A request or an answer is beyond its limit. */
export class TooLargeError extends InferenceError<"inference.too-large"> {
  constructor(what: string, limit: number) {
    super("inference.too-large", `${what} has more than ${limit} bytes`, { details: { what, limit } });
  }
}

/** A script has no more answers. */
export class ScriptEndedError extends InferenceError<"inference.script-ended"> {
  constructor(answers: number) {
    super("inference.script-ended", `the script has ${answers} answers, and one more was asked for`, {
      details: { answers },
    });
  }
}

/** A cassette cannot be read or written. */
export class BadCassetteError extends InferenceError<"inference.bad-cassette"> {
  constructor(path: string, why: string, cause?: unknown) {
    super("inference.bad-cassette", `the cassette ${path} cannot be used: ${why}`, {
      cause,
      details: { path, why },
    });
  }
}

/** A cassette has no answer for a request. */
export class CassetteMissError extends InferenceError<"inference.cassette-miss"> {
  constructor(path: string, key: string, occurrence: number, nearest: string | undefined) {
    const hint = nearest === undefined ? "it is empty" : `the nearest recorded request differs at ${nearest}`;
    super(
      "inference.cassette-miss",
      `the cassette ${path} has no answer for occurrence ${occurrence} of request ${key.slice(0, 12)}: ${hint}`,
      { details: { path, key, occurrence, nearest } },
    );
  }
}
