/**
 * Join tokens on the introducer, and the proofs that show knowledge of a token's secret without sending it.
 *
 * JT1. A proof is an HMAC over the session's exported keying material (RFC 8446 section 7.5): it is worth nothing on any other session.
 * JT2. Both sides prove: the joiner first, so that a stranger learns nothing; the introducer in its answer.
 * JT3. A node that joins twice with one token uses it once.
 * JT4. Tokens live in memory only and are bounded: making one more than {@link TOKENS_MAX} forgets the oldest.
 * JT5. A token made before a node was removed does not admit that node.
 */
import { type ClusterId, fromHex, type NodeId, toHex } from "@glia-os/abi/ids";
import type { Digests } from "@glia-os/abi/ports";
import { ascii, concat } from "../codec/ascii.ts";
import {
  JoinProofInvalidError,
  JoinTokenExpiredError,
  JoinTokenUnknownError,
  JoinTokenUsedUpError,
  NodeRemovedError,
} from "../errors.ts";

/** Label of the exported keying material. */
export const EXPORTER_LABEL = "EXPORTER-glia-join-v1";
/** Bytes of exported keying material in a proof. */
export const EXPORTER_BYTES = 32;
/** Bytes of a proof. */
export const PROOF_BYTES = 32;
/** Bytes of a token's public name. */
export const TOKEN_ID_BYTES = 8;
/** Tokens an introducer keeps. */
export const TOKENS_MAX = 1024;

const TOKEN_ID_DOMAIN = ascii("glia/join-token-id/v1\0");

/** What a proof is bound to. */
export interface ProofContext {
  readonly secret: Uint8Array;
  readonly exporter: Uint8Array;
  readonly cluster: ClusterId;
  readonly introducer: NodeId;
  readonly joiner: NodeId;
  readonly role: string;
}

/** The proof of one side (JT1, JT2). */
export function joinProof(
  digests: Digests,
  side: "joiner" | "introducer",
  context: ProofContext,
): Uint8Array {
  const { secret, exporter, cluster, introducer, joiner, role } = context;
  const domain = ascii(`glia/join-proof/v1/${side}/${role}\0`);
  return digests.hmacSha256(
    secret,
    concat(domain, exporter, fromHex(cluster), fromHex(introducer), fromHex(joiner)),
  );
}

/** The public name of a secret. */
export function tokenIdOf(digests: Digests, secret: Uint8Array): Uint8Array {
  return digests.sha256(concat(TOKEN_ID_DOMAIN, secret)).subarray(0, TOKEN_ID_BYTES);
}

/** What holds for one token. */
export interface TokenTerms {
  readonly expiresSeconds: number;
  readonly uses: number;
  /** When it was made; milliseconds since the Unix epoch. */
  readonly madeMs: number;
}

interface Token extends TokenTerms {
  readonly secret: Uint8Array;
  readonly joined: Set<NodeId>;
}

/** The tokens of an introducer. */
export class JoinTokens {
  readonly #digests: Digests;
  readonly #tokens = new Map<string, Token>();

  constructor(digests: Digests) {
    this.#digests = digests;
  }

  /** Remember a token (JT4). */
  add(secret: Uint8Array, terms: TokenTerms): void {
    if (this.#tokens.size >= TOKENS_MAX) {
      for (const oldest of this.#tokens.keys()) {
        this.#tokens.delete(oldest);
        break;
      }
    }
    const id = toHex(tokenIdOf(this.#digests, secret));
    this.#tokens.set(id, { ...terms, secret, joined: new Set() });
  }

  /**
   * Admit the joiner of `context` if its proof holds; returns the introducer's proof. Counts a use.
   * @throws {JoinTokenUnknownError}, {JoinProofInvalidError}, {JoinTokenExpiredError}, {JoinTokenUsedUpError},
   *   {NodeRemovedError} when the joiner was removed after the token was made: nothing is counted then.
   */
  redeem(
    tokenId: Uint8Array,
    proof: Uint8Array,
    context: Omit<ProofContext, "secret">,
    { wallMs, removedMs }: { readonly wallMs: number; readonly removedMs?: number | undefined },
  ): Uint8Array {
    const token = this.#tokens.get(toHex(tokenId));
    if (token === undefined) throw new JoinTokenUnknownError();
    const whole = { ...context, secret: token.secret };
    if (!this.#digests.equalConstantTime(proof, joinProof(this.#digests, "joiner", whole)))
      throw new JoinProofInvalidError("joiner");
    if (wallMs >= token.expiresSeconds * 1000) throw new JoinTokenExpiredError(token.expiresSeconds);
    if (removedMs !== undefined && token.madeMs <= removedMs) throw new NodeRemovedError(context.joiner);
    if (!token.joined.has(context.joiner) && token.joined.size >= token.uses)
      throw new JoinTokenUsedUpError(token.uses);
    token.joined.add(context.joiner);
    return joinProof(this.#digests, "introducer", whole);
  }
}
