/** Finds the one member that people mean by an id, a prefix of an id, or a name. */
import type { Member } from "@glia-os/mesh-core";
import { AmbiguousNodeError, UnknownNodeError } from "./errors.ts";

/** Shortest prefix of an id that counts as one; shorter ones would hit by accident. */
export const PREFIX_MIN = 6;

/** The member that `text` means. @throws {UnknownNodeError}, {AmbiguousNodeError}. */
export function findMember(members: readonly Member[], text: string): Member {
  const living = members.filter(({ state }) => state === "alive" || state === "suspect");
  const named = living.filter(({ name, node }) => name === text || node === text);
  const found =
    named.length > 0 || text.length < PREFIX_MIN ? named : living.filter(({ node }) => node.startsWith(text));
  if (found.length > 1)
    throw new AmbiguousNodeError(
      text,
      found.map(({ node, name }) => `${name} (${node.slice(0, 12)})`),
    );
  if (found[0] === undefined)
    throw new UnknownNodeError(
      text,
      living.map(({ name }) => name),
    );
  return found[0];
}
