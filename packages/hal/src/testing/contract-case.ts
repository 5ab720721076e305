/**
 * A contract is a list of cases, so that any test runner can run it: `for (const c of contract) it(c.title,
 * c.run)`.
 */

/** One claim about an implementation. */
export interface ContractCase {
  /** The claim, as a sentence. */
  readonly title: string;
  /** Rejects with an assertion error when the claim does not hold. */
  readonly run: () => Promise<void>;
}
