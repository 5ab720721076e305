/** Builds the addon from the present sources, once per change. */
import { buildNative } from "../scripts/build-native.ts";

const built = buildNative();

/** Why there is no addon here, or undefined. Suites that need it are skipped with this in their title. */
export const noAddon: string | undefined = built.kind === "skipped" ? built.why : undefined;
if (noAddon !== undefined) console.warn(`\n!! THE TESTS OF @glia-os/quic DO NOT RUN: ${noAddon}\n`);
