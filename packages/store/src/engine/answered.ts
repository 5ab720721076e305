/** One request of a group, performed on the rules over the group's slice. */
import { isGliaError } from "@glia-os/abi/errors";
import type { CoordinationReply, CoordinationRequest } from "../request.ts";
import type { CoordinationRules } from "../rules.ts";
import type { Answer } from "../serve.ts";

/** The reply or the typed refusal of one request. Any other error fails the group. */
export function answered(rules: CoordinationRules, request: CoordinationRequest): Answer<CoordinationReply> {
  try {
    return { reply: rules.perform(request) };
  } catch (error) {
    if (isGliaError(error)) return { refused: error.toRecord() };
    throw error;
  }
}
