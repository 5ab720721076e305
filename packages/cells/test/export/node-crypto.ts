/** What agent files need, on `node:crypto`, for tests. */
import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { createSystemDigests } from "@glia-os/hal";
import type { FileCrypto } from "../../src/export/file-keys.ts";

export const CRYPTO: FileCrypto = {
  digests: createSystemDigests(),
  cipher: {
    seal: (key, nonce, additional, plain) => {
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(additional);
      return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open: (key, nonce, additional, sealed) => {
      const decipher = createDecipheriv("aes-256-gcm", key, nonce).setAAD(additional);
      decipher.setAuthTag(sealed.subarray(-16));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  },
  sha256: () => {
    const hash = createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.copy().digest() };
  },
};
