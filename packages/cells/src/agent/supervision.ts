/** What happens when a child fails, in the words of OTP's supervisors. */

/** What a parent does about a child that failed. */
export interface SupervisionPolicy {
  /** `restart`: the same id and name, a new state. `stop`: it has ended. `escalate`: the parent fails too. */
  readonly onFailure: "restart" | "stop" | "escalate";
  /** Restarts of one child within the period; one more escalates. 0 to 1000, default 1 (OTP's). */
  readonly intensity?: number;
  /** 1 ms to a day; default 5000 (OTP's). */
  readonly periodMs?: number;
}

const DAY_MS = 86_400_000;

/** What is wrong with a policy; undefined when nothing is. */
export function checkPolicy(policy: unknown): string | undefined {
  if (typeof policy !== "object" || policy === null) return "it must be an object with onFailure";
  const { onFailure, intensity = 1, periodMs = 5000 } = policy as Partial<SupervisionPolicy>;
  if (onFailure !== "restart" && onFailure !== "stop" && onFailure !== "escalate")
    return "onFailure must be restart, stop or escalate";
  if (!Number.isInteger(intensity) || intensity < 0 || intensity > 1000)
    return "intensity must be a whole number from 0 to 1000";
  if (!(periodMs >= 1 && periodMs <= DAY_MS)) return "periodMs must be from 1 to a day";
  return undefined;
}
